"""Submit, read, change and stop runs."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import SUMMARY, Hand, upload
from trainyard.catalog import PACKAGED_ENCODER
from trainyard.events import Progress
from trainyard.settings import Settings
from trainyard.storage import Storage, read_json

RUNS = "/api/v1/runs"


def submit(client: FlaskClient, dataset_id: str, key: str | None = None, **body: Any):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(RUNS, json={"dataset_id": dataset_id, **body}, headers=headers)


def folders(settings: Settings) -> list[str]:
    root = settings.storage / "runs"
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_a_run_is_accepted_whole(client: FlaskClient, dataset_id: str, storage: Storage, kicks: list[str]):
    response = submit(
        client,
        dataset_id,
        experiment="pets-lite0",
        name="first",
        project="zoo",
        notes="line 1\nline 2",
        priority=3,
        spec={"epochs": 7, "data": {"batch_size": 4}},
    )
    assert response.status_code == 201, response.text
    run = response.json
    assert response.headers["Location"] == f"{RUNS}/{run['id']}"
    assert (run["status"], run["epochs"], run["epoch"], run["priority"]) == ("queued", 7, 0, 3)
    assert (run["name"], run["project"], run["notes"]) == ("first", "zoo", "line 1\nline 2")
    assert run["dataset_hash"] == SUMMARY["content_hash"]
    assert run["spec"]["model"]["encoder"] == PACKAGED_ENCODER
    assert run["spec"]["data"]["batch_size"] == 4
    assert run["queue_position"] == 1
    assert run["progress"] is None
    assert run["signals"] == {"stop": None, "stop_version": 0, "epochs": None, "epochs_version": 0}
    assert set(run["links"]) == {"metrics", "events", "log", "checkpoints", "artifacts"}
    assert all(client.get(link).status_code == 200 for name, link in run["links"].items() if name != "events")
    folder = storage.run(run["id"])
    assert read_json(folder.config) == {
        "spec": run["spec"],
        "dataset": {"id": dataset_id, "content_hash": "abc"},
    }
    assert read_json(folder.record)["status"] == "queued"
    first = json.loads(folder.events.read_text())
    assert (first["event"], first["status"]) == ("status", "queued")
    assert kicks == ["ingest", "train"]
    assert client.get(response.headers["Location"]).json == run


def test_defaults_of_a_run(client: FlaskClient, dataset_id: str):
    run = submit(client, dataset_id).json
    assert run["project"] == "default"
    assert run["name"] == "Unet resnet18"
    assert run["spec"]["augmentation"]["preset"] == "light"
    assert run["notices"] == []


@pytest.mark.parametrize(
    ("architecture", "asked", "size", "need"),
    [("DeepLabV3", 250, 256, "a multiple of 8"), ("FPN", 65, 96, "a multiple of 32"),
     ("PAN", 64, 128, "at least 128")],
)  # fmt: skip
def test_sizes_are_rounded_up_and_said_so(client, dataset_id, architecture, asked, size, need):
    spec = {"model": {"architecture": architecture}, "data": {"image_size": asked}}
    run = submit(client, dataset_id, spec=spec).json
    assert run["spec"]["data"]["image_size"] == size
    assert run["notices"] == [f"image_size {asked} was rounded up to {size}: {architecture} needs {need}"]


def test_a_set_that_is_not_ready_conflicts(client: FlaskClient, hand: Hand, settings: Settings):
    waiting = upload(client).json["id"]
    for status in ("queued", "failed"):
        response = submit(client, waiting)
        assert response.status_code == 409
        assert response.json["errors"] == {"status": status}
        if status == "queued":
            hand.ingest("failed")
    assert folders(settings) == []


@pytest.mark.parametrize("identifier", ["ds-000000000000", "run-000000000000", "nope", "\x00", "ü", ""])
def test_an_unknown_set(client: FlaskClient, identifier: str, settings: Settings):
    response = submit(client, identifier)
    assert response.status_code == 404
    assert "dataset_id" in response.json["errors"]
    assert folders(settings) == []


@pytest.mark.parametrize(
    "summary",
    [
        {"splits": {"train": 1}},
        {"splits": {"test": 9}},
        {"splits": {"train": 1, "test": 5}},
        {"classes": SUMMARY["classes"][:1]},
    ],
)
def test_a_set_that_no_run_can_train_on(client: FlaskClient, hand: Hand, summary: dict[str, Any]):
    upload(client)
    response = submit(client, hand.ingest(**summary))
    assert response.status_code == 422
    assert response.json["code"] == "bad_dataset"
    assert "dataset_id" in response.json["errors"]


def spec(section: str, **values: Any) -> dict[str, Any]:
    return {"spec": {section: values}}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (spec("model", architecture="Nope"), "spec.model.architecture"),
        (spec("model", encoder="resnet"), "spec.model.encoder"),
        (spec("model", encoder="\x00"), "spec.model.encoder"),
        (spec("model", encoder_weights="what"), "spec.model.encoder_weights"),
        (spec("model", encoder_weights="packaged"), "spec.model.encoder_weights"),
        (spec("model", encoder_weights="file:nope.pt"), "spec.model.encoder_weights"),
        (spec("model", encoder_weights="file:../../etc/passwd"), "spec.model.encoder_weights"),
        (spec("model", encoder_weights="file:a\x00b"), "spec.model.encoder_weights"),
        (spec("model", encoder_weights="file:" + "a" * 5000), "spec.model.encoder_weights"),
        (spec("model", encoder_weights=["none"]), "spec.model.encoder_weights"),
        (spec("model", architecture="DPT"), "spec.model.encoder"),
        (spec("model", what=1), "spec.model.what"),
        (spec("data", image_size=8), "spec.data.image_size"),
        (spec("data", image_size=10**30), "spec.data.image_size"),
        (spec("data", image_size=128.5), "spec.data.image_size"),
        (spec("data", image_size="128"), "spec.data.image_size"),
        (spec("data", image_size=True), "spec.data.image_size"),
        (spec("data", batch_size=0), "spec.data.batch_size"),
        (spec("data", val_fraction=0), "spec.data.val_fraction"),
        (spec("data", val_fraction=0.95), "spec.data.val_fraction"),
        (spec("optimization", learning_rate=0), "spec.optimization.learning_rate"),
        (spec("optimization", learning_rate=10**400), "spec.optimization.learning_rate"),
        (spec("augmentation", preset="nope"), "spec.augmentation.preset"),
        (spec("augmentation", preset=None), "spec.augmentation.preset"),
        (spec("augmentation", transforms=[{"name": "os.system", "params": {}}]), "spec.augmentation.transforms"),
        (spec("augmentation", transforms={}), "spec.augmentation.transforms"),
        ({"spec": {"epochs": 0}}, "spec.epochs"),
        ({"spec": {"epochs": None}}, "spec.epochs"),
        ({"spec": {"seed": 2**32}}, "spec.seed"),
        ({"spec": {"model": []}}, "spec.model"),
        ({"spec": []}, "spec"),
        ({"spec": None}, "spec"),
        ({"experiment": "nope"}, "experiment"),
        ({"experiment": "../defaults"}, "experiment"),
        ({"experiment": ["a"]}, "experiment"),
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": 3}, "name"),
        ({"project": "x" * 101}, "project"),
        ({"notes": "\x07"}, "notes"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"priority": 10}, "priority"),
        ({"priority": 1.5}, "priority"),
        ({"labels": {}}, "labels"),
        ({"dataset_id": None}, "dataset_id"),
        ({"dataset_id": ["ds"]}, "dataset_id"),
        ({"dataset_id": "x" * 101}, "dataset_id"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_left(client, dataset_id, settings, body, path):
    response = client.post(RUNS, json={"dataset_id": dataset_id, **body})
    assert response.status_code == 422, response.text
    found = response.json["errors"]
    if path not in found:
        for part in path.split("."):
            assert part in found, response.json["errors"]
            found = found[part]
    assert folders(settings) == []
    assert client.get(RUNS).json["items"] == []


def test_a_batch_that_the_architecture_does_not_take(client: FlaskClient, dataset_id: str, hand: Hand):
    model = {"architecture": "DeepLabV3Plus"}
    response = submit(client, dataset_id, spec={"model": model, "data": {"batch_size": 1}})
    assert response.status_code == 422
    assert response.json["code"] == "invalid_model"
    assert "batch_size" in response.json["errors"]["spec"]["data"]
    upload(client)
    small = hand.ingest(splits={"train": 1, "val": 1})
    assert submit(client, small, spec={"model": model}).status_code == 422
    assert submit(client, small).status_code == 201


def test_a_weights_file_in_storage(client: FlaskClient, dataset_id: str, storage: Storage):
    file = storage.root / "weights" / "mine" / "encoder.pt"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    response = submit(client, dataset_id, **spec("model", encoder_weights="file:mine/encoder.pt"))
    assert response.status_code == 201, response.text


def test_the_same_key_finds_the_same_run(client: FlaskClient, dataset_id: str, kicks: list[str]):
    first = submit(client, dataset_id, "key-1", name="a")
    again = submit(client, dataset_id, "key-1", name="a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert kicks.count("train") == 1
    assert submit(client, dataset_id, "key-2", name="a").json["id"] != first.json["id"]
    assert submit(client, dataset_id, "key-1", name="a", project="other").json["id"] != first.json["id"]


def test_a_key_is_kept_when_the_run_has_moved_on(client: FlaskClient, dataset_id: str, hand: Hand):
    run_id = submit(client, dataset_id, "key-1").json["id"]
    held = hand.begin()
    hand.runs.finish(held, "completed")
    again = submit(client, dataset_id, "key-1")
    assert again.status_code == 201
    assert (again.json["id"], again.json["status"]) == (run_id, "completed")


def test_a_key_with_another_request_conflicts(client: FlaskClient, dataset_id: str, storage: Storage):
    run = submit(client, dataset_id, "key-1", spec={"epochs": 3}).json
    response = submit(client, dataset_id, "key-1", spec={"epochs": 4})
    assert response.status_code == 409
    assert "Idempotency-Key" in response.json["errors"]
    assert read_json(storage.run(run["id"]).config)["spec"]["epochs"] == 3
    assert len(client.get(RUNS).json["items"]) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ü", "a\x01"])
def test_odd_keys(client: FlaskClient, dataset_id: str, key: str):
    response = client.post(RUNS, json={"dataset_id": dataset_id}, headers={"Idempotency-Key": key})
    assert response.status_code == 422
    assert "Idempotency-Key" in response.json["errors"]


def test_a_queued_run_knows_its_place(client: FlaskClient, dataset_id: str):
    ids = [submit(client, dataset_id, priority=p).json["id"] for p in (0, 0, 5)]
    positions = [client.get(f"{RUNS}/{i}").json["queue_position"] for i in ids]
    assert positions == [2, 3, 1]
    client.patch(f"{RUNS}/{ids[1]}", json={"priority": 9})
    assert [client.get(f"{RUNS}/{i}").json["queue_position"] for i in ids] == [3, 1, 2]


def test_a_running_run_shows_where_it_is(client: FlaskClient, run_id: str, hand: Hand):
    held = hand.begin()
    progress = Progress(
        stage="train", epoch=2, epochs=20, step=7, steps_per_epoch=5,
        loss=float("nan"), images_per_second=10.5, eta_seconds=None,
    )  # fmt: skip
    hand.runs.live.report(held, progress)
    run = client.get(f"{RUNS}/{run_id}")
    assert b"NaN" not in run.data
    assert run.json["status"] == "running"
    assert run.json["owner"] == "hand"
    assert run.json["queue_position"] is None
    assert run.json["progress"]["stage"] == "train"
    assert run.json["progress"]["loss"] is None
    assert run.json["progress"]["images_per_second"] == 10.5


def test_descriptions_change_in_any_status(client: FlaskClient, run_id: str, hand: Hand, storage: Storage):
    body = {"name": "new 猫", "notes": "why", "priority": 2}
    run = client.patch(f"{RUNS}/{run_id}", json=body).json
    assert {key: run[key] for key in body} == body
    assert read_json(storage.run(run_id).record)["name"] == "new 猫"
    held = hand.begin()
    hand.runs.finish(held, "completed")
    assert client.patch(f"{RUNS}/{run_id}", json={"notes": ""}).json["notes"] == ""


def test_the_epoch_target_changes(client: FlaskClient, run_id: str, hand: Hand):
    assert client.patch(f"{RUNS}/{run_id}", json={"epochs": 5}).json["epochs"] == 5
    hand.begin()
    run = client.patch(f"{RUNS}/{run_id}", json={"epochs": 9}).json
    assert run["epochs"] == 9
    assert run["signals"]["epochs"] == 9
    assert run["spec"]["epochs"] == 20, "the spec stays as it was submitted"


def test_an_ended_run_takes_no_new_target(client: FlaskClient, run_id: str, hand: Hand):
    hand.runs.finish(hand.begin(), "failed", error={"code": "child_died"})
    response = client.patch(f"{RUNS}/{run_id}", json={"epochs": 9, "name": "changed"})
    assert response.status_code == 409
    assert response.json["errors"] == {"status": "failed"}
    assert client.get(f"{RUNS}/{run_id}").json["name"] != "changed"


@pytest.mark.parametrize(
    "body",
    [{}, {"epochs": 0}, {"epochs": 100_001}, {"epochs": 1.5}, {"epochs": "5"}, {"epochs": None}, {"epochs": True},
     {"name": ""}, {"name": None}, {"notes": 1}, {"priority": -1}, {"status": "completed"}, []],
)  # fmt: skip
def test_odd_changes(client: FlaskClient, run_id: str, body: Any):
    before = client.get(f"{RUNS}/{run_id}").json
    response = client.patch(f"{RUNS}/{run_id}", json=body)
    assert response.status_code == 422
    assert response.json["errors"]
    assert client.get(f"{RUNS}/{run_id}").json == before


def test_a_queued_run_stops_at_once(client: FlaskClient, run_id: str, storage: Storage):
    run = client.post(f"{RUNS}/{run_id}/stop").json
    assert run["status"] == "stopped"
    assert run["ended_at"]
    assert run["queue_position"] is None
    again = client.post(f"{RUNS}/{run_id}/stop")
    assert (again.status_code, again.json["status"]) == (200, "stopped")
    statuses = [json.loads(line)["status"] for line in storage.run(run_id).events.read_text().splitlines()]
    assert statuses == ["queued", "stopped"]


def test_a_running_run_is_asked_to_stop(client: FlaskClient, run_id: str, hand: Hand):
    hand.begin()
    run = client.post(f"{RUNS}/{run_id}/stop", json={"when": "epoch"}).json
    assert (run["status"], run["signals"]["stop"], run["signals"]["stop_version"]) == ("running", "epoch", 1)
    run = client.post(f"{RUNS}/{run_id}/stop", json={}).json
    assert (run["signals"]["stop"], run["signals"]["stop_version"]) == ("now", 2)


def test_a_completed_run_does_not_stop(client: FlaskClient, run_id: str, hand: Hand):
    hand.runs.finish(hand.begin(), "completed")
    response = client.post(f"{RUNS}/{run_id}/stop")
    assert response.status_code == 409
    assert response.json["errors"] == {"status": "completed"}


@pytest.mark.parametrize("body", [{"when": "later"}, {"when": None}, {"when": 1}, {"what": 1}, []])
def test_odd_stops(client: FlaskClient, run_id: str, body: Any):
    assert client.post(f"{RUNS}/{run_id}/stop", json=body).status_code == 422
    assert client.get(f"{RUNS}/{run_id}").json["status"] == "queued"


def test_lists_are_paged_and_filtered(client: FlaskClient, dataset_id: str, hand: Hand):
    ids = [submit(client, dataset_id, project=p).json["id"] for p in ("a", "b", "a")]
    hand.runs.finish(hand.begin(), "completed")

    def listed(query: str) -> list[str]:
        return [item["id"] for item in client.get(f"{RUNS}?{query}").json["items"]]

    assert listed("") == ids[::-1]
    assert listed("status=completed") == [ids[0]]
    assert listed("status=queued&project=a") == [ids[2]]
    page = client.get(f"{RUNS}?limit=2").json
    assert listed(f"limit=2&cursor={page['next_cursor']}") == [ids[0]]
    assert set(page["items"][0]["links"]) == {"metrics", "events", "log", "checkpoints", "artifacts"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("patch", ""), ("post", "/stop"), ("get", "/metrics"), ("get", "/events"), ("get", "/log"),
     ("get", "/checkpoints"), ("get", "/checkpoints/last"), ("get", "/artifacts"), ("get", "/artifacts/a")],
)  # fmt: skip
@pytest.mark.parametrize("identifier", ["run-000000000000", "ds-000000000000", "x", "%00", "..%2fx"])
def test_unknown_ids(client: FlaskClient, method: str, path: str, identifier: str):
    body = {"json": {"name": "x"}} if method == "patch" else {}
    response = getattr(client, method)(f"{RUNS}/{identifier}{path}", **body)
    assert response.status_code == 404
    assert response.json["code"] == "not_found"
