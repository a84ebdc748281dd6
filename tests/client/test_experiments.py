"""Saved experiments by the command: what it sends, and how it finds one."""

import json
from collections.abc import Iterator

import httpx
import pytest
from click.testing import CliRunner

from trainyard_client.client import Client
from trainyard_client.command.runs.experiments import experiment
from trainyard_client.command.terminal.session import Session
from trainyard_client.transport import Transport

KEPT = {
    "id": "exp-0123456789ab", "name": "careful", "project": "lab", "notes": "", "revision": 1,
    "created_at": "2026-01-01T00:00:00.000Z", "changed_at": "2026-01-01T00:00:00.000Z", "created_by": "x",
    "run_id": None, "spec": {"epochs": 7, "data": {"batch_size": 4}}, "unreadable": None,
}  # fmt: skip
PATH = "/api/v1/saved-experiments"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, object]]]:
    """What the command sends; the project has one experiment."""
    requests: list[tuple[str, str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        requests.append((request.method, request.url.path, body))
        is_list = request.method == "GET" and request.url.path == PATH
        return httpx.Response(200, json={"items": [KEPT], "next_cursor": None} if is_list else KEPT)

    transport = Transport("http://server", handler=httpx.MockTransport(answer))
    monkeypatch.setattr(Session, "client", Client(transport=transport))
    return requests


def test_settings_are_saved_over_an_experiment_or_a_run(sent: list[tuple[str, str, object]]):
    words = [
        "save",
        "careful",
        "--project",
        "lab",
        "-e",
        "demo",
        "--epochs",
        "7",
        "--set",
        "data.batch_size=4",
    ]
    words += ["--set", "data.batch_size=4"]
    assert CliRunner().invoke(experiment, [*words, "-q"]).stdout == "exp-0123456789ab\n"
    assert CliRunner().invoke(experiment, ["save", "x", "--from-run", "run-1"]).exit_code == 0
    spec = {"epochs": 7, "data": {"batch_size": 4}}
    assert sent == [
        ("POST", PATH, {"name": "careful", "project": "lab", "experiment": "demo", "spec": spec}),
        ("POST", PATH, {"name": "x", "project": "default", "run_id": "run-1"}),
    ]


def test_one_is_found_by_its_name_and_changed_where_it_is_said(sent: list[tuple[str, str, object]]):
    words = ["edit", "careful", "--project", "lab", "--set", "data.image_size=64"]
    assert CliRunner().invoke(experiment, words).exit_code == 0
    spec = {"epochs": 7, "data": {"batch_size": 4, "image_size": 64}}
    assert sent[-1] == ("PATCH", f"{PATH}/exp-0123456789ab", {"spec": spec})
    shown = CliRunner().invoke(experiment, ["show", "exp-0123456789ab"]).stdout
    assert "data.batch_size" in shown
    listed = CliRunner().invoke(experiment, ["ls", "--json"]).stdout
    assert json.loads(listed)[0]["name"] == "careful"


def test_a_name_that_is_none_is_said_with_those_there_are(sent: list[tuple[str, str, object]]):
    result = CliRunner().invoke(experiment, ["rm", "careful", "carefull", "--project", "lab"])
    assert "careful" in str(getattr(result.exception, "remedy", ""))
    assert not any(method == "DELETE" for method, _, _ in sent), "none is deleted where one is not there"
