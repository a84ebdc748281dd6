"""The registry of trained models over the API: names, versions, stages, lineage, files."""

import hashlib
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import Hand, submit
from tests.api.exported import CONTENT, export
from trainyard.registry.models import ModelRegistry
from trainyard.scheduling.leftovers import LOST_AFTER_S, clear_leftovers
from trainyard.scheduling.reindex import Reindex, Report
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client

MODELS = "/api/v1/trained-models"


@pytest.fixture
def completed(client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage) -> str:
    """A run that is completed and was exported."""
    return complete(client, dataset_id, hand, storage)


def complete(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage, project: str = "default", **more: Any
) -> str:
    run_id = str(submit(client, dataset_id, project=project).json["id"])  # type: ignore[index]
    hand.runs.finish(hand.begin(), "completed")
    export(storage.run(run_id), **more)
    return run_id


def register(client: FlaskClient, run_id: str, name: str = "nuclei", **more: Any) -> TestResponse:
    return client.post(MODELS, json={"run_id": run_id, "name": name, **more})


def registered(client: FlaskClient, run_id: str, name: str = "nuclei", **more: Any) -> dict[str, Any]:
    answer = register(client, run_id, name, **more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def reindex(redis_client: Client, storage: Storage, hand: Hand) -> Report:
    return Reindex(redis_client, storage, hand.datasets, hand.runs).rebuild()


def ids(client: FlaskClient, query: str = "") -> list[str]:
    return [item["id"] for item in client.get(f"{MODELS}?{query}").json["items"]]  # type: ignore[index]


def test_a_completed_run_becomes_a_version_with_its_lineage(
    client: FlaskClient, completed: str, dataset_id: str, storage: Storage
):
    answer = register(client, completed, notes="second half of the slides")
    assert answer.status_code == 201, answer.text
    model = answer.json
    assert answer.headers["Location"] == f"{MODELS}/{model['id']}"
    assert (model["name"], model["version"], model["stage"]) == ("nuclei", 1, "candidate")
    assert (model["run_id"], model["dataset_id"]) == (completed, dataset_id)
    assert (model["content_hash"], model["dataset_name"]) == ("a" * 64, "pets")
    assert (model["epoch"], model["image_size"], model["metrics"]["val"]["miou"]) == (4, 64, 0.81)
    assert model["classes"][1] == {"index": 1, "name": "disc", "color": [220, 60, 60]}
    assert model["notes"] == "second half of the slides"
    assert client.get(f"{MODELS}/{model['id']}").json == model
    assert client.get(MODELS).json["items"] == [model]
    assert read_json(storage.model(model["id"]).record)["version"] == 1


def test_files_are_the_models_own_and_outlive_the_run(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage
):
    run_id = complete(client, dataset_id, hand, storage, precisions=("fp32", "fp16"))
    model = registered(client, run_id)
    assert client.delete(f"/api/v1/runs/{run_id}").status_code == 204
    assert client.delete(f"/api/v1/datasets/{dataset_id}").status_code == 204
    files = {one["name"]: one for one in model["files"]}
    assert files.keys() == {"model.onnx", "model.fp16.onnx", "card.json"}
    for one in files.values():
        answer = client.get(one["url"])
        assert hashlib.sha256(answer.data).hexdigest() == one["sha256"]
    assert client.get(files["model.onnx"]["url"], headers={"Range": "bytes=0-3"}).data == CONTENT[:4]
    assert client.get(f"{MODELS}/{model['id']}/files/model.json").status_code == 404
    assert client.get(f"{MODELS}/{model['id']}/files/..%2fmodel.json").status_code == 404
    assert client.get(f"{MODELS}/{model['id']}").json["run_id"] == run_id


def test_versions_count_up_within_a_name_and_a_project(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage
):
    runs = [complete(client, dataset_id, hand, storage, project) for project in ("a", "a", "b")]
    versions = [registered(client, run)["version"] for run in runs]
    assert versions == [1, 2, 1]
    assert registered(client, runs[0], "other")["version"] == 1
    again = register(client, runs[0])
    assert (again.json["version"], again.headers["Idempotent-Replayed"]) == (1, "true")
    export(storage.run(runs[0]), b"trained on")
    assert registered(client, runs[0])["version"] == 3, "another export of the same run"


@pytest.mark.parametrize("case", ["queued", "no export", "absent", "no name", "stage", "other bytes"])
def test_what_cannot_be_registered_is_refused(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage, case: str
):
    run_id = submit(client, dataset_id).json["id"]
    if case != "queued":
        hand.runs.finish(hand.begin(), "completed")
    if case == "other bytes":
        export(storage.run(run_id))
        storage.run(run_id).onnx.write_bytes(b"damaged")
    body = {"run_id": "run-0123456789ab" if case == "absent" else run_id, "name": "nuclei"}
    body |= {"name": " "} if case == "no name" else {}
    body |= {"stage": "live"} if case == "stage" else {}
    answer = client.post(MODELS, json=body)
    status, field = {
        "queued": (409, "run_id"), "no export": (409, "run_id"), "absent": (404, None),
        "no name": (422, "name"), "stage": (422, "stage"), "other bytes": (503, None),
    }[case]  # fmt: skip
    assert answer.status_code == status, answer.text
    assert field is None or field in answer.json["errors"]
    assert client.get(MODELS).json["items"] == []


def test_one_version_of_a_name_is_in_production(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage
):
    runs = [complete(client, dataset_id, hand, storage, project) for project in ("a", "a", "b")]
    first, second, foreign = (registered(client, run, stage="production") for run in runs)
    assert [first["stage"], second["stage"]] == ["production"] * 2, "each as it was answered"
    stages = {item["id"]: item["stage"] for item in client.get(MODELS).json["items"]}
    assert stages == {first["id"]: "archived", second["id"]: "production", foreign["id"]: "production"}
    assert read_json(storage.model(first["id"]).record)["status"] == "archived"
    assert client.delete(f"{MODELS}/{second['id']}").json["errors"] == {"stage": "production"}
    changed = client.patch(f"{MODELS}/{second['id']}", json={"stage": "staging", "notes": "too slow"})
    assert (changed.json["stage"], changed.json["notes"]) == ("staging", "too slow")
    assert client.delete(f"{MODELS}/{second['id']}").status_code == 204
    assert not storage.model(second["id"]).path.exists()
    assert client.get(f"{MODELS}/{second['id']}").status_code == 404
    assert client.patch(f"{MODELS}/{first['id']}", json={"stage": "live"}).status_code == 422
    assert registered(client, runs[1])["version"] == 3, "no number is given twice"


def test_lists_are_filtered_and_paged(client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage):
    runs = [complete(client, dataset_id, hand, storage, "ab"[number % 2]) for number in range(4)]
    models = [registered(client, run, "xy"[number // 2])["id"] for number, run in enumerate(runs)]
    newest = models[::-1]
    client.patch(f"{MODELS}/{models[3]}", json={"stage": "staging"})
    assert ids(client) == newest
    assert ids(client, "name=x") == newest[2:]
    assert ids(client, "project=a") == [models[2], models[0]]
    assert ids(client, "name=y&project=a") == [models[2]]
    assert ids(client, "stage=staging") == [models[3]]
    assert ids(client, "stage=staging,candidate&project=b") == [models[3], models[1]]
    assert ids(client, f"run_id={runs[1]}") == [models[1]]
    assert ids(client, f"dataset_id={dataset_id}&name=z") == []
    for query in ("", "project=a", "stage=candidate,staging&name=x"):
        paged, cursor = [], ""
        while True:
            page = client.get(f"{MODELS}?limit=1&{query}{cursor}").json
            paged += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert paged == ids(client, query)
    assert client.get(f"{MODELS}?stage=live").status_code == 422


def test_an_emptied_redis_has_the_models_again(
    client: FlaskClient, completed: str, dataset_id: str, hand: Hand, storage: Storage, redis_client: Client
):
    model = registered(client, completed, stage="production")
    redis_client.flushall()
    assert client.get(f"{MODELS}/{model['id']}").status_code == 503, "not yet"
    assert register(client, completed).status_code == 503
    assert reindex(redis_client, storage, hand).problems == []
    assert client.get(f"{MODELS}/{model['id']}").json == model
    assert ids(client, "stage=production&project=default") == ids(client, "name=nuclei") == [model["id"]]
    second = complete(client, dataset_id, hand, storage)
    assert registered(client, second, stage="production")["version"] == 2
    assert client.get(f"{MODELS}/{model['id']}").json["stage"] == "archived"


def test_a_change_that_storage_missed_is_written_later(
    client: FlaskClient, completed: str, hand: Hand, storage: Storage, redis_client: Client
):
    model = registered(client, completed)
    kept = storage.model(model["id"]).record.read_text()
    client.patch(f"{MODELS}/{model['id']}", json={"notes": "new"})
    storage.model(model["id"]).record.write_text(kept)
    reindex(redis_client, storage, hand)
    assert read_json(storage.model(model["id"]).record)["notes"] == "new"


@pytest.mark.parametrize("content", ["{", '{"schema": 99, "id": "x", "project": "p", "name": "of tomorrow"}'])
def test_a_record_that_cannot_be_read_is_one_item_and_can_be_deleted(
    client: FlaskClient, completed: str, hand: Hand, storage: Storage, redis_client: Client, content: str
):
    model = registered(client, completed)
    broken = storage.model("model-0000000000ff")
    broken.path.mkdir(parents=True)
    broken.record.write_text(content)
    assert len(reindex(redis_client, storage, hand).problems) == 1
    items = {item["id"]: item for item in client.get(MODELS).json["items"]}
    assert items.keys() == {model["id"], broken.path.name}
    item = items[broken.path.name]
    assert (item["stage"], bool(item["unreadable"])) == ("unreadable", True)
    assert item.keys() == items[model["id"]].keys()
    assert client.get(f"{MODELS}/{broken.path.name}").json["code"] == "unreadable"
    assert client.delete(f"{MODELS}/{broken.path.name}").status_code == 204
    assert ids(client) == [model["id"]]


def test_a_field_of_tomorrow_fails_nothing(
    client: FlaskClient, completed: str, hand: Hand, storage: Storage, redis_client: Client
):
    model = registered(client, completed)
    file = storage.model(model["id"]).record
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "of_tomorrow": 1}))
    redis_client.flushall()
    assert reindex(redis_client, storage, hand).problems == []
    assert client.get(f"{MODELS}/{model['id']}").json == model


def test_a_registration_that_broke_off_is_cleared_away(
    client: FlaskClient, completed: str, storage: Storage, redis_client: Client
):
    model = registered(client, completed)
    left = storage.model("model-0000000000ee")
    left.path.mkdir()
    left.onnx.write_bytes(CONTENT)
    models = ModelRegistry(redis_client, storage)
    now = left.onnx.stat().st_mtime + LOST_AFTER_S + 100
    assert clear_leftovers([models], now) == [left.path.name]
    assert storage.model(model["id"]).onnx.read_bytes() == CONTENT


def test_who_registered_it_and_what_it_takes_is_told(
    client: FlaskClient, completed: str, redis_client: Client
):
    model = registered(client, completed)
    assert redis_client.hget(keys.record("model", model["id"]), "created_by") == "local 127.0.0.1"
    usage = client.get("/api/v1/admin/usage").json["items"]
    assert ("model", model["id"]) in [(one["kind"], one["id"]) for one in usage]
