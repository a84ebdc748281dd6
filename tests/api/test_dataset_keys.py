"""Idempotency-Key on data sets."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import Hand, archive, submit
from trainyard.scheduling.reindex import Reindex
from trainyard.storage.files import Storage
from trainyard.store.connection import Client


def send(client: FlaskClient, key: str, content: bytes = archive(), **fields: str) -> TestResponse:
    data: dict[str, Any] = {"name": "pets", **fields, "file": (io.BytesIO(content), "pets.zip")}
    return client.post("/api/v1/datasets", data=data, headers={"Idempotency-Key": key})


def sets(client: FlaskClient) -> int:
    return len(client.get("/api/v1/datasets").json["items"])


def test_the_same_key_again_finds_the_same_set(client: FlaskClient, storage: Storage, notified: list[str]):
    first, again = send(client, "k"), send(client, "k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["id"] == again.json["id"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert sets(client) == 1
    assert notified == ["ingest"]
    assert [path.name for path in (storage.root / "datasets").iterdir()] == [first.json["id"]]
    assert storage.dataset(first.json["id"]).upload.read_bytes() == archive()


@pytest.mark.parametrize(
    "other", [{"name": "cats"}, {"content": archive(2)}, {"seed": "4"}], ids=["name", "file", "option"]
)
def test_another_request_with_the_key_is_refused(
    client: FlaskClient, storage: Storage, other: dict[str, Any]
):
    first = send(client, "k").json["id"]
    refused = send(client, "k", **other)
    assert refused.status_code == 409
    assert "Idempotency-Key" in refused.json["errors"]
    assert [path.name for path in (storage.root / "datasets").iterdir()] == [first]


def test_keys_are_a_projects_own(client: FlaskClient):
    ids = {send(client, "k", project=name).json["id"] for name in ("a", "b")}
    ids.add(send(client, "other", project="a").json["id"])
    assert len(ids) == sets(client) == 3


def test_what_lies_in_storage_has_keys_too(client: FlaskClient, storage: Storage):
    (storage.root / "incoming" / "set").mkdir(parents=True)
    body = {"name": "a", "path": "set"}
    headers = {"Idempotency-Key": "k"}
    ids = {client.post("/api/v1/datasets", json=body, headers=headers).json["id"] for _ in range(2)}
    assert len(ids) == sets(client) == 1
    assert client.post("/api/v1/datasets", json=body | {"name": "b"}, headers=headers).status_code == 409


def test_what_a_killed_server_left_is_replaced(client: FlaskClient, storage: Storage):
    dataset_id = send(client, "k").json["id"]
    client.delete(f"/api/v1/datasets/{dataset_id}")
    storage.dataset(dataset_id).path.mkdir()
    (storage.dataset(dataset_id).path / "torn").write_bytes(b"x")
    again = send(client, "k")
    assert (again.status_code, again.json["id"]) == (202, dataset_id)
    assert not (storage.dataset(dataset_id).path / "torn").exists()


def test_a_key_that_made_what_was_deleted_makes_it_anew(
    client: FlaskClient, hand: Hand, storage: Storage, redis_client: Client
):
    dataset_id = send(client, "k").json["id"]
    hand.ingest()
    client.delete(f"/api/v1/datasets/{dataset_id}")
    assert send(client, "k").json["id"] == dataset_id == hand.ingest()
    run = submit(client, dataset_id, "r")
    assert run.status_code == 201, run.text
    client.post(f"/api/v1/runs/{run.json['id']}/cancel")
    assert client.delete(f"/api/v1/runs/{run.json['id']}").status_code == 204
    again = submit(client, dataset_id, "r").json["id"]
    assert again == run.json["id"]
    redis_client.flushdb()
    assert Reindex(redis_client, storage, hand.datasets, hand.runs).ensure()
    assert client.get(f"/api/v1/datasets/{dataset_id}").status_code == 200
    assert client.get(f"/api/v1/runs/{again}").json["status"] == "queued"
    assert storage.run(again).record.exists()
    assert not hand.runs._store.was_removed(again)


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_keys_that_are_none(client: FlaskClient, storage: Storage, key: str):
    assert send(client, key).status_code == 422
    assert not list((storage.root / "datasets").iterdir())
