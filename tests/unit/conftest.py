"""Fixtures of the domain's and the supervisors' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.outages import Server
from trainyard.storage.files import Storage
from trainyard.store.connection import Client, connect
from trainyard.store.runs.run_store import RunStore


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


@pytest.fixture
def store(client: Client) -> RunStore:
    return RunStore(client)


@pytest.fixture
def server(tmp_path):
    """A Redis of this test's own, which keeps its data over an outage."""
    (tmp_path / "redis").mkdir()
    running = Server(tmp_path / "redis")
    yield running
    running.kill()
