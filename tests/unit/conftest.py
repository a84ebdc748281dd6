"""Fixtures of the domain's and the supervisors' tests."""

import pytest

from tests.unit.outages import Server


@pytest.fixture
def server(tmp_path):
    """A Redis of this test's own, which keeps its data over an outage."""
    (tmp_path / "redis").mkdir()
    running = Server(tmp_path / "redis")
    yield running
    running.kill()
