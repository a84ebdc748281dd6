"""Runs that are trained and whose results are being written, as clients see them and what they may ask."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, upload
from trainyard.runs.record import Run, RunStatus
from trainyard.store.connection import Client
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore

API = "/api/v1"
RUNS = f"{API}/runs"


def train(hand: Hand) -> Run:
    """Train the next run to three epochs, which leaves it to be finished."""
    return hand.runs.hand_over(hand.begin(), 3, epoch=3, step=6, used_seconds=1.0, result={"epoch": 3})


@pytest.fixture
def finishing(client: FlaskClient, run_id: str, hand: Hand) -> str:
    """A run of three epochs that waits to be finished."""
    client.patch(f"{RUNS}/{run_id}", json={"epochs": 3})
    return train(hand).id


@pytest.fixture(params=["waits", "is worked on"])
def either(request: pytest.FixtureRequest, finishing: str, hand: Hand) -> str:
    """A finishing run that waits, and one whose results are being written."""
    if request.param == "is worked on":
        hand.runs.claim("finish", "finisher")
    return finishing


def beat(redis_client: Client, queues: tuple[str, ...], **values: Any) -> None:
    WorkerStore(redis_client).beat(
        WorkerState(
            id="host:1:x", host="host", pid=1, queues=queues, device="a processor", memory_bytes=8,
            started_at=1.0, **values,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("what", "body"),
    [("stop", {"when": "now"}), ("stop", {"when": "epoch"}), ("resume", {}), ("resume", {"epochs": 9}),
     ("retry", None), ("move", {"to": "front"})],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_status(
    client: FlaskClient, either: str, what: str, body: Any
):
    before = client.get(f"{RUNS}/{either}").json
    answer = client.post(f"{RUNS}/{either}/{what}", json=body)
    assert answer.status_code == 409, answer.text
    assert answer.json["errors"]["status"] == "finishing"
    assert "epoch target" in answer.json["remedy"]
    assert client.get(f"{RUNS}/{either}").json == before


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_target_that_is_reached_is_refused(client: FlaskClient, either: str, epochs: int):
    assert client.patch(f"{RUNS}/{either}", json={"epochs": epochs}).status_code == 409
    assert client.get(f"{RUNS}/{either}").json["epochs"] == 3


def test_neither_it_nor_its_data_set_is_deleted(client: FlaskClient, either: str, dataset_id: str):
    for url in (f"{RUNS}/{either}", f"{API}/datasets/{dataset_id}"):
        assert client.delete(url).status_code == 409


def test_a_raised_target_is_trained_to(client: FlaskClient, either: str, hand: Hand, notified: list[str]):
    told = client.patch(f"{RUNS}/{either}", json={"epochs": 5})
    assert told.status_code == 200, told.text
    assert (told.json["status"], told.json["epochs"], notified[-1]) == ("queued", 5, "cpu")
    held = hand.begin()
    assert (held.id, held.epoch, held.epochs) == (either, 3, 5)
    over = hand.runs.hand_over(held, 5, epoch=5, step=10, used_seconds=2.0, result={"epoch": 5})
    hand.runs.announce_status(hand.runs.finish(hand.runs.claim("finish", "finisher"), "completed"))
    lines = client.get(f"{RUNS}/{either}/events").text.splitlines()
    statuses = [json.loads(line[5:])["status"] for line in lines if line.startswith("data:")]
    assert (over.status, statuses[-2:]) == (RunStatus.FINISHING, ["queued", "completed"])


def test_it_can_be_cancelled(client: FlaskClient, either: str, hand: Hand):
    """As it waits there and then, and else by whoever finishes it, whatever that comes to."""
    held = hand.runs.get(either)
    answer = client.post(f"{RUNS}/{either}/cancel")
    assert answer.status_code == 200, answer.text
    if held.owner:
        assert (answer.json["status"], answer.json["signals"]["cancel"]) == ("finishing", True)
        hand.runs.finish(held, "completed", result={"epoch": 3, "export": {}})
    ended = client.get(f"{RUNS}/{either}").json
    assert (ended["status"], ended["result"]) == ("cancelled", None)
    assert client.delete(f"{RUNS}/{either}").status_code == 204


def test_name_and_notes_can_be_changed(client: FlaskClient, either: str):
    answer = client.patch(f"{RUNS}/{either}", json={"name": "other", "priority": 5})
    assert (answer.json["status"], answer.json["name"], answer.json["priority"]) == ("finishing", "other", 5)


def test_lists_know_it(client: FlaskClient, either: str):
    assert [run["id"] for run in client.get(f"{RUNS}?status=finishing").json["items"]] == [either]
    for status in ("queued", "running", "completed"):
        assert client.get(f"{RUNS}?status={status}").json["items"] == []


def test_it_says_why_it_waits(client: FlaskClient, finishing: str, hand: Hand, redis_client: Client):
    def waiting() -> Any:
        return client.get(f"{RUNS}/{finishing}").json["waiting"]

    beat(redis_client, ("cpu",))
    told = waiting()
    assert (told["position"], told["reason"]["code"], told["predicted_start"]) == (1, "no_worker", None)
    beat(redis_client, ("cpu", "finish"), finishing="run-0123456789ab")
    assert waiting()["reason"]["code"] == "workers_busy"
    beat(redis_client, ("finish",))
    assert waiting()["reason"]["code"] == "starting"
    held = hand.runs.claim("finish", "host:1:x")
    assert (held.id, waiting()) == (finishing, None)


def test_the_queue_of_finishing_is_listed(
    client: FlaskClient, finishing: str, hand: Hand, redis_client: Client
):
    def queue(name: str) -> Any:
        return next(one for one in client.get(f"{API}/queues").json["items"] if one["name"] == name)

    beat(redis_client, ("cpu", "finish"))
    found = queue("finish")
    assert (found["workers"], found["idle"], found["waiting"], found["in_work"]) == (["host:1:x"], 1, 1, [])
    assert queue("cpu")["waiting"] == 0
    hand.runs.claim("finish", "host:1:x")
    beat(redis_client, ("cpu", "finish"), finishing=finishing)
    found = queue("finish")
    assert (found["idle"], found["waiting"], found["in_work"]) == (0, 0, [finishing])
    assert (queue("cpu")["idle"], queue("cpu")["in_work"]) == (1, []), "its device is free"
    assert client.get(f"{API}/workers").json["items"][0]["finishing"] == finishing


@pytest.fixture
def study(client: FlaskClient, hand: Hand) -> str:
    """A study of five epochs that is trained, in the older contract."""
    upload(client, name="cells", project="anna")
    hand.ingest()
    asked = {"User": "anna", "FileName": "cells", "Epochs": 5, "LR": 0.001, "ImgSize": 112,
             "BatchSize": 4, "Model": "Unet", "TestSize": 0.2}  # fmt: skip
    name = client.post("/study", json=asked).json["ModelName"]
    hand.runs.hand_over(hand.begin(), 5, epoch=5, step=9, used_seconds=1.0, result={"epoch": 5})
    return str(name)


@pytest.mark.parametrize(
    ("epochs", "description", "status"),
    [(3, "Study will be stopped after current epoch", "finishing"),
     (5, "Study will be stopped after current epoch", "finishing"),
     (9, "Successful", "queued")],
)  # fmt: skip
def test_the_study_contract_knows_no_such_status(
    client: FlaskClient, study: str, hand: Hand, epochs: int, description: str, status: str
):
    told = client.put(f"/study?ModelName={study}&Epochs={epochs}")
    assert (told.status_code, told.json["Description"]) == (200, description)
    (run,) = client.get(RUNS).json["items"]
    assert (run["status"], run["epochs"]) == (status, max(epochs, 5))


def test_a_study_that_is_ended_as_it_finishes_keeps_its_work(client: FlaskClient, study: str, hand: Hand):
    (run,) = client.get(RUNS).json["items"]
    file = hand.runs._storage.run(run["id"]).last_checkpoint
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    assert client.delete(f"/study?ModelName={study}").json["FilePath"] == str(file)
    assert client.get(f"{RUNS}/{run['id']}").json["status"] == "finishing"


def test_an_export_is_asked_for_of_a_completed_run_alone(
    client: FlaskClient, run_id: str, finishing: str, hand: Hand
):
    url = f"{RUNS}/{finishing}/export"
    assert client.post(url, json={}).status_code == 409
    hand.runs.finish(hand.runs.claim("finish", "finisher"), "completed", result={"epoch": 3, "export": None})
    for wrong, field in (({"half": "x"}, "half"), ({"onnx": False, "int8": True}, "spec"), ({"x": 1}, "x")):
        refused = client.post(url, json=wrong)
        assert (refused.status_code, field in refused.json["errors"]) == (422, True), refused.text
    asked = client.post(url, json={"int8": True})
    assert asked.status_code == 200, asked.text
    assert (asked.json["status"], asked.json["reopened_by"]) == ("finishing", "export")
    assert asked.json["spec"]["export"] == {
        "onnx": True, "half": False, "int8": True, "with_preprocessing": False,
    }  # fmt: skip
    assert client.post(url, json={"int8": True}).status_code == 200
    hand.runs.finish(
        hand.runs.claim("finish", "finisher"), "completed", result={"epoch": 3, "export": {"f": 1}}
    )
    assert client.post(url, json={"int8": True}).json["status"] == "completed", "it has them"
