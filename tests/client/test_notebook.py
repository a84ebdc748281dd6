"""docs/client.ipynb was run, tells nothing of the machine, and calls what the client has."""

import ast
import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.client.run_notebook import NOTEBOOK
from trainyard_client.client import Client
from trainyard_client.transport import Transport

CELLS = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
SOURCES = ["".join(cell["source"]) for cell in CELLS]
MOST_BYTES = 200_000


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of the client in a cell, by what is called, as `client.runs.get`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("client."):
            yield ast.unparse(node.func), node


ALL_CALLS = [found for source in SOURCES for found in calls(source)]


@pytest.mark.parametrize(("name", "call"), ALL_CALLS, ids=[name for name, _ in ALL_CALLS])
def test_its_calls_are_those_of_the_client(name: str, call: ast.Call):
    transport = Transport("http://server", handler=httpx.MockTransport(lambda _: httpx.Response(500)))
    found: Any = Client(transport=transport)
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    arguments = {one.arg: None for one in call.keywords if one.arg}
    inspect.signature(found).bind(*call.args, **arguments)


def test_it_calls_most_of_what_the_client_is_for():
    resources = {name.split(".")[1] for name, _ in ALL_CALLS if name.count(".") == 2}
    assert resources >= {"datasets", "runs", "models", "experiments"}
    assert len(ALL_CALLS) > 15


def test_every_cell_was_run_in_order_and_none_failed():
    assert [cell["execution_count"] for cell in CELLS] == list(range(1, len(CELLS) + 1))
    kinds = [output["output_type"] for cell in CELLS for output in cell["outputs"]]
    assert len(kinds) >= len(CELLS) - 1
    assert "error" not in kinds
    assert "image/png" in str(CELLS)


def test_it_is_small_and_tells_nothing_of_the_machine():
    text = NOTEBOOK.read_text()
    assert len(text) < MOST_BYTES
    for private in ("/tmp", "/home", "/root", "site-packages", "Traceback"):
        assert private not in text, private
