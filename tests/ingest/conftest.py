"""Fixtures of the tests of ingest."""

from pathlib import Path

import pytest

from tests.ingest.made import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty place to try uploads in."""
    return Bench(tmp_path)
