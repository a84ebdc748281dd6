"""Requests that are made from the API's own description: whatever comes, the answer is a described one.

`schemathesis` tries every operation with what its description allows and forbids, and chains of calls by the
ids that answers hold. `make fuzz` does so for longer, with other requests each time.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.server import Server
from tests.unit.records import a_run
from trainyard.datasets.record import Dataset
from trainyard.settings import REPOSITORY

COMMAND = [sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/api/schemathesis.toml", "run"]


@pytest.fixture
def server(redis_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(redis_url, tmp_path)
    dataset = Dataset(id="ds-000000000001", name="cells", project="lab", created_at=1.0)
    running.datasets.submit(dataset)
    running.ready_set()
    running.runs.submit(a_run(1, dataset_id=dataset.id, queue="cpu"))
    running.start()
    yield running
    running.close()


def tried(server: Server, *options: str) -> None:
    """Try the server's API; the test fails with all that was found."""
    command = [*COMMAND, f"{server.http.base_url}/openapi.json", "--checks", "all", "--no-color", *options]
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Traceback" not in server.log.read_text()


def test_generated_requests_get_described_answers(server: Server):
    tried(server, "--max-examples", "3", "--max-time", "20", "--seed", "1", "--generation-deterministic")


@pytest.mark.long
def test_many_more_do(server: Server):
    tried(server, "--max-time", "600", "--continue-on-failure")
