"""The study service's contract: all eight calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.service.contracts import studies
from app.service.requests.turns import with_turn
from app.service.runs import stop as run_stop
from tests.api.conftest import Hand, upload
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store.connection import Client

NINE = ["Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3", "DeepLabV3Plus", "PAN"]
GOOD = {
    "User": "anna", "FileName": "cells", "Epochs": "5", "LR": "0.001", "ImgSize": "250",
    "BatchSize": "4", "Model": "DeepLabV3", "TestSize": "0.2",
}  # fmt: skip


@pytest.fixture
def cells(client: FlaskClient, hand: Hand) -> str:
    """Anna's data set, ready."""
    assert upload(client, name="cells", project="anna").status_code == 202
    return hand.ingest()


@pytest.fixture
def study(client: FlaskClient, cells: str) -> str:
    return str(answered(client.post("/study", query_string=GOOD))["ModelName"])


def answered(response, status: int = 200) -> dict[str, Any]:
    """The body, after the contract's own rules have been checked."""
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json
    assert datetime.fromisoformat(body["AnswerDate"]).tzinfo
    if status >= 400:
        assert isinstance(body["detail"], str)
        assert (body["detail"] == "Wrong parameters") == (status == 400)
    return body


def run_of(client: FlaskClient) -> dict[str, Any]:
    """The newest run, in full."""
    newest = client.get("/api/v1/runs").json["items"][0]["id"]
    return client.get(f"/api/v1/runs/{newest}").json


def test_the_list_of_models(client: FlaskClient):
    for path in ("/modeles", "/modeles/"):
        assert answered(client.get(path))["Description"] == NINE


def test_models_are_added_and_removed(client: FlaskClient):
    assert set(answered(client.delete("/modeles?ModelName=PAN"))) == {"AnswerDate", "Description"}
    assert answered(client.get("/modeles"))["Description"] == NINE[:-1]
    answered(client.delete("/modeles/?ModelName=PAN"), 404)
    answered(client.post("/modeles/?ModelName=PAN"))
    answered(client.post("/modeles", json={"ModelName": "Segformer"}))
    assert answered(client.get("/modeles"))["Description"] == [*NINE, "Segformer"]
    answered(client.post("/modeles", data={"ModelName": "Segformer"}), 409)
    answered(client.post("/modeles?ModelName=Unet"), 409)
    answered(client.post("/modeles?ModelName=Nope"), 400)
    answered(client.post("/modeles"), 400)


def test_a_study_is_a_run_of_every_epochs_checkpoint(client: FlaskClient, cells: str, notified: list[str]):
    body = answered(client.post("/study", query_string=GOOD))
    assert body.keys() == {"AnswerDate", "ModelName"}
    assert body["ModelName"] == "anna-1"
    run = run_of(client)
    assert run["dataset_id"] == cells
    assert (run["project"], run["labels"]["study"], run["labels"]["user"]) == ("anna", "anna-1", "anna")
    spec = run["spec"]
    assert (spec["epochs"], spec["model"]["architecture"]) == (5, "DeepLabV3")
    assert (spec["data"]["image_size"], spec["data"]["batch_size"], spec["data"]["val_fraction"]) == (
        256,
        4,
        0.2,
    )
    assert spec["optimization"]["learning_rate"] == 0.001
    assert spec["checkpoints"]["every_epochs"] == 1
    assert run["notices"]
    assert notified[-1] == "cpu"


@pytest.mark.parametrize("how", ["query_string", "json", "data"])
@pytest.mark.parametrize("path", ["/study", "/study/"])
def test_parameters_come_in_any_form(client: FlaskClient, cells: str, how: str, path: str):
    numbers = {"Epochs": 5, "LR": 0.001, "ImgSize": 250, "BatchSize": 4, "TestSize": 0.2}
    body = GOOD | numbers if how == "json" else GOOD
    assert answered(client.post(path, **{how: body}))["ModelName"] == "anna-1"


def test_names_are_never_given_twice(client: FlaskClient, cells: str):
    names = [answered(client.post("/study", query_string=GOOD))["ModelName"] for _ in range(3)]
    answered(client.delete(f"/study?ModelName={names[-1]}"))
    names.append(answered(client.post("/study", query_string=GOOD))["ModelName"])
    assert names == ["anna-1", "anna-2", "anna-3", "anna-4"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Epochs", "0"), ("Epochs", "-1"), ("Epochs", "1.5"), ("Epochs", "nan"), ("Epochs", ""),
        ("Epochs", "1e2"),
        ("Epochs", "٣"), ("Epochs", "1_0"), ("Epochs", "9" * 5000), ("Epochs", "100001"), ("Epochs", " 5"),
        ("LR", "0"), ("LR", "1.01"), ("LR", "-0.1"), ("LR", "nan"), ("LR", "inf"), ("LR", "1e400"),
        ("LR", "x"),
        ("LR", "1e-12"), ("LR", "0x1"), ("LR", "1e-400"),
        ("ImgSize", "111"), ("ImgSize", "1049"), ("ImgSize", "200.5"),
        ("BatchSize", "0"), ("BatchSize", "101"), ("BatchSize", "1"),
        ("TestSize", "0"), ("TestSize", "0.91"), ("TestSize", "nan"), ("TestSize", "-0.2"),
        ("Model", "Nope"), ("Model", "Segformer"), ("Model", ""), ("Model", "\x00"),
        ("User", ""), ("User", "a\nb"), ("User", "x" * 101), ("User", " "), ("FileName", ""),
    ],
)  # fmt: skip
def test_wrong_parameters(client: FlaskClient, cells: str, name: str, value: str):
    body = answered(client.post("/study", query_string=GOOD | {name: value}), 400)
    assert body["detail"] == "Wrong parameters"
    assert client.get("/api/v1/runs").json["items"] == []
    missing = {key: kept for key, kept in GOOD.items() if key != name}
    assert answered(client.post("/study", query_string=missing), 400)["detail"] == "Wrong parameters"


@pytest.mark.parametrize("value", [True, None, [5], {"a": 1}, 5.5])
def test_wrong_types_in_json(client: FlaskClient, cells: str, value: Any):
    body = answered(client.post("/study", json=GOOD | {"Epochs": value}), 400)
    assert body["detail"] == "Wrong parameters"
    assert "Epochs" in body["errors"]


def test_odd_bodies(client: FlaskClient):
    for body in (b"[1]", b"{", b"3", b"\xff"):
        response = client.post("/study", data=body, content_type="application/json")
        assert answered(response, 400)["detail"] == "Wrong parameters"
    response = client.post("/study?User=a&User=b", data=b"x", content_type="text/plain")
    assert answered(response, 400)["detail"] == "Wrong parameters"


def test_the_set_must_be_ready(client: FlaskClient, hand: Hand):
    def refused(**change: str) -> dict[str, Any]:
        body = answered(client.post("/study", query_string=GOOD | change), 400)
        assert body["detail"] == "Wrong parameters"
        assert "FileName" in body["errors"]
        return body

    assert refused()["message"] == "Data set 'cells' of 'anna' does not exist."
    upload(client, name="cells", project="anna")
    assert refused()["message"] == "Data set 'cells' of 'anna' is queued, not ready."
    assert "does not exist" in refused(User="ben")["message"]


def test_the_newest_ready_set_is_taken(client: FlaskClient, hand: Hand, cells: str):
    upload(client, name="cells", project="anna")
    newest = hand.ingest()
    upload(client, name="cells", project="anna")
    hand.ingest("failed")
    upload(client, name="others", project="anna")
    hand.ingest()
    answered(client.post("/study", query_string=GOOD))
    assert run_of(client)["dataset_id"] == newest != cells


def test_a_set_that_is_too_small(client: FlaskClient, hand: Hand):
    upload(client, name="cells", project="anna")
    hand.ingest(splits={"train": 1})
    answered(client.post("/study", query_string=GOOD), 400)


def test_the_target_changes_while_it_trains(client: FlaskClient, study: str, hand: Hand):
    def put(epochs: Any, status: int = 200) -> dict[str, Any]:
        return answered(client.put("/study", query_string={"ModelName": study, "Epochs": epochs}), status)

    assert put(8)["Description"] == "Successful"
    held = hand.runs.update(hand.begin(), epoch=3)
    assert put(4)["Description"] == "Successful"
    assert put(3)["Description"] == "Study will be stopped after current epoch"
    assert put(1)["Description"] == "Study will be stopped after current epoch"
    assert run_of(client)["epochs"] == 1
    put(0, 400)
    put("x", 400)
    hand.runs.finish(held, "completed")
    put(3, 400)
    assert put(9)["Description"] == "Successful"
    resumed = run_of(client)
    assert (resumed["status"], resumed["epochs"]) == ("queued", 9)


def test_unknown_studies(client: FlaskClient, study: str):
    for name in ("anna-99", "anna", "nobody-1"):
        for response in (
            client.put(f"/study?ModelName={name}&Epochs=3"),
            client.get(f"/study?ModelName={name}"),
            client.delete(f"/study/?ModelName={name}"),
            client.get(f"/checkstudy?ModelName={name}&Epoch=1"),
        ):
            assert answered(response, 404)["detail"] == "Study not found"
    for name in ("", "x" * 5000, "%00"):
        answered(client.get(f"/study?ModelName={name}"), 400)


def test_metrics_come_as_arrays(client: FlaskClient, study: str, storage: Storage):
    names = ("train_loss", "train_dice", "val_loss", "val_dice")
    empty = answered(client.get(f"/study?ModelName={study}"))
    assert {name: empty[name] for name in names} == {name: [] for name in names}
    rows = [{"epoch": e, **{name: i + e / 10 for i, name in enumerate(names)}, "other": 9} for e in (1, 2)]
    write_json(storage.run(run_of(client)["id"]).metrics_json, {"rows": rows})
    body = answered(client.get(f"/study/?ModelName={study}"))
    assert body.keys() == {"AnswerDate", *names}
    assert body["val_loss"] == [2.1, 2.2]


def test_while_it_trains_an_epoch_is_finished_when_its_checkpoint_is_there(
    client: FlaskClient, study: str, hand: Hand, storage: Storage
):
    names = ("train_loss", "train_dice", "val_loss", "val_dice")
    held = hand.begin()
    folder = storage.run(held.id)
    write_json(folder.metrics_json, {"rows": [{"epoch": e, **dict.fromkeys(names, e)} for e in (1, 2)]})
    folder.checkpoints.mkdir(parents=True)
    folder.epoch_checkpoint(1).write_bytes(b"1")
    assert answered(client.get(f"/study?ModelName={study}"))["val_dice"] == [1]
    folder.epoch_checkpoint(2).write_bytes(b"2")
    assert answered(client.get(f"/study?ModelName={study}"))["val_dice"] == [1, 2]


def test_a_finished_study_says_where_its_work_is(
    client: FlaskClient, study: str, hand: Hand, storage: Storage
):
    held = hand.begin()
    folder = storage.run(held.id)
    folder.checkpoints.mkdir(parents=True)
    folder.epoch_checkpoint(1).write_bytes(b"1")
    hand.runs.finish(held, "completed")
    body = answered(client.delete(f"/study?ModelName={study}"))
    assert body["FilePath"] == str(folder.epoch_checkpoint(1))
    folder.last_checkpoint.write_bytes(b"2")
    body = answered(client.delete(f"/study?ModelName={study}"))
    assert body.keys() == {"AnswerDate", "FilePath"}
    assert Path(body["FilePath"]).read_bytes() == b"2"


def test_a_queued_study_stops_at_once(client: FlaskClient, study: str, storage: Storage):
    body = answered(client.delete(f"/study?ModelName={study}"))
    run = run_of(client)
    assert run["status"] == "stopped"
    assert body["FilePath"] == str(storage.run(run["id"]).last_checkpoint)


def test_a_running_study_is_waited_for(
    client: FlaskClient, study: str, hand: Hand, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    held = hand.begin()
    last = storage.run(held.id).last_checkpoint

    waits: list[str] = []

    @contextmanager
    def gives_its_turn() -> Iterator[None]:
        waits.append("given")
        yield
        waits.append("taken")

    def worker_stops(_: float) -> None:
        """What happens while the use case sleeps."""
        assert waits == ["given"], "others work meanwhile"
        assert hand.runs.live.signals(held.id).stop == "now"
        last.parent.mkdir(parents=True)
        last.write_bytes(b"weights")
        hand.runs.finish(held, "stopped")

    monkeypatch.setattr(run_stop.time, "sleep", worker_stops)
    with with_turn(gives_its_turn):
        body = answered(client.delete(f"/study?ModelName={study}"))
    assert waits == ["given", "taken"]
    assert Path(body["FilePath"]).read_bytes() == b"weights"
    assert run_of(client)["status"] == "stopped"


def test_a_run_that_does_not_end_is_not_waited_for_for_ever(
    client: FlaskClient, study: str, hand: Hand, monkeypatch: pytest.MonkeyPatch
):
    held = hand.begin()
    monkeypatch.setattr(run_stop, "STOP_WAIT_S", 0.0)
    body = answered(client.delete(f"/study?ModelName={study}"))
    assert body["FilePath"].endswith(f"{held.id}/checkpoints/last.ckpt")
    assert hand.runs.live.signals(held.id).stop == "now"


def test_the_checkpoint_of_an_epoch(client: FlaskClient, study: str, storage: Storage):
    folder = storage.run(run_of(client)["id"])
    folder.checkpoints.mkdir(parents=True)
    folder.epoch_checkpoint(2).write_bytes(b"2")
    for path in ("/checkstudy", "/checkstudy/"):
        body = answered(client.get(f"{path}?ModelName={study}&Epoch=2"))
        assert body["FilePath"] == str(folder.epoch_checkpoint(2))
    unknown = answered(client.get(f"/checkstudy?ModelName={study}&Epoch=3"), 404)
    assert unknown["detail"] == "Epoch not found"
    for epoch in ("0", "x", "", "-1"):
        answered(client.get(f"/checkstudy?ModelName={study}&Epoch={epoch}"), 400)


def test_names_with_odd_characters(client: FlaskClient, hand: Hand):
    user = "Änna/猫 #?&"
    upload(client, name="zellen %", project=user)
    hand.ingest()
    body = answered(client.post("/study", query_string=GOOD | {"User": user, "FileName": "zellen %"}))
    assert body["ModelName"] == f"{user}-1"
    answered(client.get("/study", query_string={"ModelName": body["ModelName"]}))


def test_an_unexpected_error_is_hidden(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    def broken(_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(studies.StudyService, "models", broken)
    response = client.get("/modeles")
    answered(response, 500)
    assert "secret" not in response.text


def test_every_error_has_the_contracts_form(client: FlaskClient):
    for method, path, allowed in (
        ("PATCH", "/study", {"GET", "POST", "PUT", "DELETE"}),
        ("PUT", "/modeles/", {"GET", "POST", "DELETE"}),
        ("POST", "/checkstudy", {"GET"}),
    ):
        response = client.open(path, method=method)
        assert answered(response, 405)["detail"] == "Method Not Allowed"
        assert allowed <= {name.strip() for name in response.headers["Allow"].split(",")}
    for path in ("/study/anna-1", "/modeles/Unet/", "/checkstudy/1/2"):
        assert answered(client.get(path), 404)["detail"] == "Not Found"
    large = client.post("/study", data=b"x" * 2_000_000, content_type="application/json")
    assert answered(large, 400)["message"]
    assert "detail" not in client.get("/studyx").json


def test_a_foreign_page_is_refused_in_the_contracts_form(client: FlaskClient):
    assert answered(client.post("/modeles?ModelName=PAN", headers={"Origin": "http://evil.example"}), 403)
    assert answered(client.get("/modeles", headers={"Host": "evil.example"}), 403)


def test_what_is_offered_outlives_a_redis_that_is_emptied(
    client: FlaskClient, redis_client: Client, storage: Storage
):
    answered(client.delete("/modeles?ModelName=PAN"))
    answered(client.post("/modeles?ModelName=Segformer"))
    redis_client.flushall()
    assert answered(client.get("/modeles"))["Description"] == [*NINE[:-1], "Segformer"]
    redis_client.flushall()
    answered(client.post("/modeles?ModelName=UPerNet"))  # before anybody asks for the list
    redis_client.flushall()
    answered(client.delete("/modeles?ModelName=Segformer"))
    assert answered(client.get("/modeles"))["Description"] == [*NINE[:-1], "UPerNet"]
    kept = read_json(storage.study_models)
    assert kept == {"added": ["Segformer", "UPerNet"], "removed": ["PAN", "Segformer"]}


def test_what_an_earlier_release_offered_is_kept_for_an_empty_redis(
    client: FlaskClient, redis_client: Client, storage: Storage
):
    """It had no file."""
    redis_client.sadd("ty:set:study:models-removed", "PAN")
    assert answered(client.get("/modeles"))["Description"] == NINE[:-1]
    redis_client.flushall()
    assert answered(client.get("/modeles"))["Description"] == NINE[:-1]
