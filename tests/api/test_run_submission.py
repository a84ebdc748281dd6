"""Submit runs."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import SUMMARY, Hand, submit, upload
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client

RUNS = "/api/v1/runs"


def folders(settings: Settings) -> list[str]:
    root = settings.storage / "runs"
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_a_run_is_accepted_whole(client: FlaskClient, dataset_id: str, storage: Storage, notified: list[str]):
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
    assert run["waiting"]["position"] == 1
    assert run["progress"] is None
    unsignalled = {"stop": None, "stop_version": 0, "epochs": None, "epochs_version": 0, "cancel": False}
    assert run["signals"] == unsignalled
    assert set(run["links"]) == {"metrics", "events", "log", "checkpoints", "artifacts"}
    assert all(client.get(link).status_code == 200 for name, link in run["links"].items() if name != "events")
    folder = storage.run(run["id"])
    assert read_json(folder.config) == {
        "spec": run["spec"],
        "dataset": {"id": dataset_id, "content_hash": SUMMARY["content_hash"]},
    }
    assert read_json(folder.record)["status"] == "queued"
    first = json.loads(folder.events.read_text())
    assert (first["event"], first["status"]) == ("status", "queued")
    assert notified == ["ingest", "cpu"]
    assert client.get(response.headers["Location"]).json == run


def test_a_run_is_checked_without_being_made(
    client: FlaskClient, dataset_id: str, settings: Settings, notified: list[str]
):
    spec = {"model": {"architecture": "FPN"}, "data": {"image_size": 65}}
    asked: dict[str, Any] = {"dataset_id": dataset_id, "spec": spec, "priority": 2}
    checked = client.post(f"{RUNS}/check", json=asked)
    assert (checked.status_code, notified, folders(settings)) == (200, ["ingest"], [])
    assert client.get(RUNS).json["items"] == []  # type: ignore[index]
    made = submit(client, **asked).json
    assert checked.json == {name: made[name] for name in checked.json}
    assert checked.json["notices"] == made["notices"] != []


@pytest.mark.parametrize(("sent", "kept"), [(32, "32"), ("32", "32"), ("auto", "auto")])
def test_a_name_that_looks_like_a_number_may_come_as_one(
    client: FlaskClient, dataset_id: str, sent: Any, kept: str
):
    checked = client.post(f"{RUNS}/check", json={"dataset_id": dataset_id, "spec": {"precision": sent}})
    assert (checked.status_code, checked.json["spec"]["precision"]) == (200, kept)  # type: ignore[index]


@pytest.mark.parametrize("sent", [31, 32.5, True, ["32"], {"a": 1}, "half"])
def test_what_is_no_name_of_a_list_is_told_the_list(client: FlaskClient, dataset_id: str, sent: Any):
    refused = client.post(f"{RUNS}/check", json={"dataset_id": dataset_id, "spec": {"precision": sent}})
    assert refused.status_code == 422
    (said,) = refused.json["errors"]["spec"]["precision"]  # type: ignore[index]
    assert said.startswith("Must be one of: ")
    assert "bf16" in said


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"epochs": 0}},
        {"spec": {"model": {"encoder": "resnet19"}}},
        {"dataset_id": "ds-000000000000"},
        {"experiment": "none"},
        {"device_class": "abacus"},
    ],
)
def test_a_check_finds_what_a_submission_would(client: FlaskClient, dataset_id: str, change: dict[str, Any]):
    asked = {"dataset_id": dataset_id, **change}
    checked, submitted = (client.post(path, json=asked) for path in (f"{RUNS}/check", RUNS))
    assert checked.status_code == submitted.status_code >= 400
    same = ("code", "message", "errors", "remedy")
    assert {name: checked.json.get(name) for name in same} == {
        name: submitted.json.get(name) for name in same
    }  # type: ignore[union-attr]


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
        (
            spec("augmentation", transforms=[{"name": "os.system", "params": {}}]),
            "spec.augmentation.transforms",
        ),
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


def test_the_same_key_finds_the_same_run(client: FlaskClient, dataset_id: str, notified: list[str]):
    first = submit(client, dataset_id, "key-1", name="a")
    again = submit(client, dataset_id, "key-1", name="a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert notified.count("cpu") == 1
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


def test_a_key_whose_run_redis_has_forgotten_touches_nothing(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage, redis_client: Client
):
    """Redis was emptied, and has the data set again but not yet the run."""
    run_id = submit(client, dataset_id, "key-1").json["id"]
    hand.runs.finish(hand.begin(), "completed")
    kept = {path: path.read_bytes() for path in storage.run(run_id).path.iterdir()}
    redis_client.delete(keys.record("run", run_id))
    response = submit(client, dataset_id, "key-1")
    assert (response.status_code, response.json["code"]) == (503, "store_unavailable")
    assert {path: path.read_bytes() for path in storage.run(run_id).path.iterdir()} == kept


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ü", "a\x01"])
def test_odd_keys(client: FlaskClient, dataset_id: str, key: str):
    response = client.post(RUNS, json={"dataset_id": dataset_id}, headers={"Idempotency-Key": key})
    assert response.status_code == 422
    assert "Idempotency-Key" in response.json["errors"]


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"model": {"architecture": "DeepLabV3", "encoder": "densenet121"}}, ["model", "encoder"]),
        ({"model": {"architecture": "DPT", "encoder": "resnet18"}}, ["model", "encoder"]),
        ({"model": {"encoder": "dpn92", "encoder_weights": "imagenet"}}, ["model", "encoder_weights"]),
        ({"precision": "16-mixed"}, ["precision"]),
        (
            {
                "compute": {"devices": 2, "strategy": "ddp"},
                "optimization": {"freeze_encoder_epochs": 1},
            },
            ["compute", "strategy"],
        ),
        (
            {"augmentation": {"transforms": [{"name": "D4", "params": {"p": 2}}]}},
            ["augmentation", "transforms", "0", "params", "p"],
        ),
        (
            {"augmentation": {"transforms": [{"name": "Rotate", "params": {"fill_mask": 200}}]}},
            ["augmentation", "transforms", "0", "params", "fill_mask"],
        ),
    ],
)
def test_what_cannot_train_is_refused_by_its_field(
    client: FlaskClient, dataset_id: str, asked: dict[str, Any], path: list[str]
):
    response = submit(client, dataset_id, spec=asked)
    assert response.status_code == 422, response.text
    found = response.json["errors"]["spec"]
    for name in path:
        assert list(found) == [name]
        found = found[name]
    assert isinstance(found, list)


def test_float16_is_taken_for_a_gpu(client: FlaskClient, dataset_id: str):
    asked = {"precision": "16-mixed"}
    assert submit(client, dataset_id, spec=asked, device_class="gpu").status_code == 201


@pytest.mark.parametrize(("folds", "fold", "status"), [(5, 4, 201), (5, 5, 422), (None, 0, 422)])
def test_a_run_names_a_fold_that_the_upload_told(
    client: FlaskClient, hand: Hand, folds: int | None, fold: int, status: int
) -> None:
    upload(client)
    answer = submit(client, hand.ingest(folds=folds), spec={"data": {"split_index": fold}})
    assert answer.status_code == status, answer.text
