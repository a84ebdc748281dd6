"""Fixtures of the tests of ingest."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.ingest.made import Bench

settings.register_profile(
    "readers",
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("fuzz", settings.get_profile("readers"), max_examples=5000, derandomize=False)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty place to try uploads in."""
    return Bench(tmp_path)
