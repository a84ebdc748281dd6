"""Limits of projects, in Redis and in storage."""

from pathlib import Path

import pytest

from trainyard.scheduling.projects import ProjectLimits
from trainyard.storage.files import Storage, read_json
from trainyard.store.connection import Client, connect
from trainyard.store.limits import LimitStore


@pytest.fixture
def client(redis_url: str) -> Client:
    return connect(redis_url)


@pytest.fixture
def limits(client: Client, tmp_path: Path) -> ProjectLimits:
    return ProjectLimits(LimitStore(client), Storage(tmp_path))


def test_a_limit_is_mirrored(limits: ProjectLimits, tmp_path: Path):
    assert limits.get("lab / 1") is None
    limits.set("lab / 1", 3)
    limits.set("other", 1)
    limits.set("other", None)
    assert (limits.get("lab / 1"), limits.get("other")) == (3, None)
    assert read_json(tmp_path / "projects.json") == {"max_concurrent": {"lab / 1": 3, "other": None}}


def test_an_emptied_redis_gets_its_limits_back(limits: ProjectLimits, client: Client):
    limits.restore()
    limits.set("lab", 3)
    client.flushall()
    limits.restore()
    assert limits.get("lab") == 3


def test_what_redis_knows_is_not_replaced(limits: ProjectLimits, client: Client):
    limits.set("lab", 3)
    LimitStore(client).set("lab", None)
    limits.restore()
    assert limits.get("lab") is None
