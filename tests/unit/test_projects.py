"""Limits and descriptions of projects, in Redis and in storage."""

from pathlib import Path

import pytest

from trainyard.scheduling.projects import Projects
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store.connection import Client
from trainyard.store.resources.project_store import ProjectDescription, ProjectStore
from trainyard.store.runs.limits import LimitStore


@pytest.fixture
def limits(client: Client, tmp_path: Path) -> Projects:
    return Projects(LimitStore(client), ProjectStore(client), Storage(tmp_path))


def test_a_limit_is_mirrored(limits: Projects, tmp_path: Path):
    assert limits.limit("lab / 1") is None
    limits.set_limit("lab / 1", 3)
    limits.set_limit("other", 1)
    limits.set_limit("other", None)
    assert (limits.limit("lab / 1"), limits.limit("other")) == (3, None)
    kept = read_json(tmp_path / "projects.json")
    assert kept == {"max_concurrent": {"lab / 1": 3, "other": None}, "described": {}}


def test_an_emptied_redis_gets_its_limits_back(limits: Projects, client: Client):
    limits.restore()
    limits.set_limit("lab", 3)
    client.flushall()
    limits.restore()
    assert limits.limit("lab") == 3


def test_what_redis_knows_is_not_replaced(limits: Projects, client: Client):
    limits.set_limit("lab", 3)
    LimitStore(client).set("lab", None)
    limits.restore()
    assert limits.limit("lab") is None


def test_descriptions_come_back_with_a_redis_that_was_emptied(limits: Projects, client: Client):
    described = ProjectDescription(description="nuclei of 2026", created_at=12.5)
    assert limits.describe("lab", described, anew=True)
    assert not limits.describe("lab", ProjectDescription(description="x", created_at=13), anew=True)
    client.flushall()
    limits.restore()
    assert limits.store.description("lab") == described
    assert limits.store.names(None, 10) == ["lab"]
    later = ProjectDescription(description="other", created_at=12.5)
    assert limits.describe("lab", later, anew=False)
    limits.restore()
    assert limits.store.descriptions() == {"lab": later}


def test_the_file_of_a_release_without_descriptions_is_read(limits: Projects, tmp_path: Path):
    write_json(tmp_path / "projects.json", {"max_concurrent": {"lab": 2}})
    limits.restore()
    assert limits.limit("lab") == 2
    assert limits.store.descriptions() == {}
