"""/readyz says when nothing can be written, and no 503 names an address to whoever asks."""

import errno
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.composition import EXTENSION, compose
from tests.api.conftest import Hand, submit, upload
from trainyard.scheduling import housekeeping as housekeeping_module
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import Client


def assert_unready(client: FlaskClient, code: str) -> str:
    """The message of the 503."""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, code)
    assert int(answer.headers["Retry-After"]) > 0
    assert_no_address(answer.text)
    assert client.get("/healthz").status_code == 200
    return str(answer.json["message"])


def assert_no_address(text: str) -> None:
    for told in ("127.0.0.1", "localhost", ":6379", "redis://", "Errno", "/tmp"):
        assert told not in text


@pytest.fixture
def limited(redis_client: Client) -> Iterator[Client]:
    """A Redis whose memory is used up."""
    redis_client.config_set("maxmemory", redis_client.info("memory")["used_memory"] // 2)
    yield redis_client
    redis_client.config_set("maxmemory", "0")


def test_it_is_ready(client: FlaskClient):
    parts = dict.fromkeys(("redis", "records", "storage", "housekeeping"), "ok")
    assert client.get("/readyz").json == {"status": "ok", "parts": parts}


def test_every_part_that_is_not_ready_is_named(settings: Settings):
    settings.storage.write_text("a file where the folder should be")
    client = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0")).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert list(answer.json["errors"]) == ["redis", "storage"]
    assert answer.json["errors"]["redis"] == ["Redis cannot be reached."]
    assert_no_address(answer.text)


def test_a_redis_without_memory_is_told_of(client: FlaskClient, limited: Client):
    assert assert_unready(client, "store_unavailable") == "Redis has no memory left and takes no writes."
    refused = client.put("/api/v1/projects/full", json={"max_concurrent": 2})
    assert refused.status_code == 503
    assert_no_address(refused.text)
    limited.config_set("maxmemory", "0")
    assert client.get("/readyz").status_code == 200


def test_a_redis_that_is_read_only_is_told_of(client: FlaskClient, redis_client: Client):
    redis_client.replicaof("127.0.0.1", 1)
    try:
        assert "read-only" in assert_unready(client, "store_unavailable")
    finally:
        redis_client.replicaof("NO", "ONE")
    assert client.get("/readyz").status_code == 200


def test_a_redis_that_cannot_write_its_file_is_told_of(
    client: FlaskClient, redis_client: Client, monkeypatch: pytest.MonkeyPatch
):

    error = redis.ResponseError("MISCONF Redis is configured to save RDB snapshots at 127.0.0.1:6379")
    monkeypatch.setattr(redis_client, "set", lambda *_, **__: _raise(error))
    assert "disk" in assert_unready(client, "store_unavailable")
    moved = redis.ResponseError("MOVED 3999 127.0.0.1:6379")
    monkeypatch.setattr(redis_client, "set", lambda *_, **__: _raise(moved))
    assert_unready(client, "store_unavailable")


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "redis://localhost:1/0", "redis://no-such-host.invalid:6379/0"]
)
def test_a_redis_that_is_away_is_told_of_without_its_address(tmp_path: Path, url: str):
    app = create_app(Settings(redis_url=url, storage=tmp_path, device_classes=("cpu",)))
    client = app.test_client()
    assert assert_unready(client, "store_unavailable") == "Redis cannot be reached."
    for path in ("runs", "datasets", "workers", "queues", "runs/run-000000000000", "projects/x"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 503
        assert "no-such-host" not in answer.text
        assert_no_address(answer.text)


def test_with_keys_nobody_learns_more(redis_url: str, tmp_path: Path):
    settings = Settings(redis_url="redis://127.0.0.1:1/0", storage=tmp_path, api_key_hashes=("ab" * 32,))
    client = create_app(settings).test_client()
    assert_unready(client, "store_unavailable")
    assert client.get("/api/v1/runs").status_code == 401


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES])
def test_storage_that_takes_no_file_is_told_of(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, number: int
):
    monkeypatch.setattr(Path, "touch", lambda *_, **__: _raise(OSError(number, "said so", "/tmp/x")))
    assert assert_unready(client, "storage_unavailable") == "Storage cannot be written: said so."


def test_storage_that_is_no_folder_is_told_of(client: FlaskClient, settings: Settings):
    settings.storage.write_text("")
    assert_unready(client, "storage_unavailable")


def test_housekeeping_that_hangs_is_told_of(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch):
    housekeeper = app.extensions[EXTENSION].housekeeper
    housekeeper._is_started = True
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(housekeeper, "_started_at", time.monotonic() - housekeeping_module.STALLED_S - 1)
    assert_unready(client, "housekeeping_stalled")
    housekeeper.look()
    assert client.get("/readyz").status_code == 200


def test_an_emptied_redis_that_is_being_rebuilt_says_so(
    client: FlaskClient, redis_client: Client, run_id: str, dataset_id: str, app: Flask
):
    redis_client.flushall()

    def refused() -> None:
        for path in ("runs", f"runs/{run_id}", "datasets", f"datasets/{dataset_id}"):
            answer = client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable"), path
            assert answer.headers["Retry-After"]
        assert submit(client, dataset_id).status_code == 503
        assert_unready(client, "store_unavailable")

    refused()
    assert client.get("/api/v1/runs/run-0000000000aa").status_code == 404
    redis_client.set(keys.REBUILDING, 1)  # half of it is there
    refused()
    redis_client.delete(keys.REBUILDING)
    app.extensions[EXTENSION].housekeeper.compare()
    assert client.get(f"/api/v1/runs/{run_id}").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert not redis_client.exists(keys.REBUILDING)


def test_what_storage_has_is_not_unknown_because_something_newer_is_there(
    client: FlaskClient, redis_client: Client, run_id: str, dataset_id: str, hand: Hand
):
    """Redis was emptied, and takes new records before anybody has seen that."""
    redis_client.flushall()
    assert upload(client, name="new").status_code == 202
    newer = hand.ingest()
    assert submit(client, newer).status_code == 201
    for path in (f"runs/{run_id}", f"datasets/{dataset_id}"):
        answer = client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable"), path
    acts = [
        client.post(f"/api/v1/runs/{run_id}/{act}").status_code
        for act in ("stop", "cancel", "resume", "retry")
    ]
    acts += [
        client.patch(f"/api/v1/runs/{run_id}", json={"epochs": 3}).status_code,
        client.patch(f"/api/v1/runs/{run_id}", json={"name": "x"}).status_code,
        client.delete(f"/api/v1/runs/{run_id}").status_code,
        client.delete(f"/api/v1/datasets/{dataset_id}").status_code,
    ]
    assert set(acts) == {503}
    assert client.get("/api/v1/runs/run-0000000000aa").status_code == 404


def test_an_empty_deployment_is_no_emptied_one(client: FlaskClient):
    assert client.get("/api/v1/runs").json["items"] == []
    assert client.get("/api/v1/datasets").json["items"] == []
    assert client.get("/readyz").status_code == 200


def test_a_clean_stop_spares_the_comparison(
    app: Flask, redis_client: Client, run_id: str, storage: Storage, settings: Settings
):
    housekeeper = compose(settings, redis_client, lambda _: True).housekeeper
    housekeeper.compare()
    storage.run(run_id).record.write_text("{")
    this = redis_client.get(keys.INDEXED)
    redis_client.set(keys.INDEXED, "before")
    redis_client.set(keys.STOPPED, "before")
    housekeeper.compare()
    assert redis_client.get(keys.INDEXED) == this
    assert storage.run(run_id).record.read_text() == "{", "nothing was compared"
    redis_client.set(keys.INDEXED, "crashed since")
    housekeeper.compare()
    assert storage.run(run_id).record.read_text() != "{"
