"""Read, change and stop runs."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from trainyard.runs.events import Progress
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json

RUNS = "/api/v1/runs"


def test_a_queued_run_knows_its_place(client: FlaskClient, dataset_id: str):
    ids = [submit(client, dataset_id, priority=p).json["id"] for p in (0, 0, 5)]
    positions = [client.get(f"{RUNS}/{i}").json["waiting"]["position"] for i in ids]
    assert positions == [2, 3, 1]
    client.patch(f"{RUNS}/{ids[1]}", json={"priority": 9})
    assert [client.get(f"{RUNS}/{i}").json["waiting"]["position"] for i in ids] == [3, 1, 2]


def test_a_running_run_shows_where_it_is(client: FlaskClient, run_id: str, hand: Hand):
    held = hand.begin()
    progress = Progress(
        stage="train", epoch=2, epochs=20, step=7, steps_per_epoch=5,
        loss=float("nan"), images_per_second=10.5, eta_seconds=None,
    )  # fmt: skip
    hand.runs.report(held, progress)
    run = client.get(f"{RUNS}/{run_id}")
    assert b"NaN" not in run.data
    assert run.json["status"] == "running"
    assert run.json["owner"] == "hand"
    assert run.json["waiting"] is None
    assert run.json["progress"]["stage"] == "train"
    assert run.json["progress"]["loss"] is None
    assert run.json["progress"]["images_per_second"] == 10.5


def test_a_run_tells_of_its_attempts(client: FlaskClient, run_id: str, hand: Hand):
    assert client.get(f"{RUNS}/{run_id}").json["attempts"] == []
    hand.runs.release(hand.begin())
    hand.runs.finish(hand.begin(), "failed", error={"code": "nan_loss"}, epoch=3)
    first, second = client.get(f"{RUNS}/{run_id}").json["attempts"]
    assert (first["attempt"], first["worker"], first["reason"], first["epochs"]) == (1, "hand", "drained", 0)
    assert (second["attempt"], second["reason"], second["epochs"]) == (2, "nan_loss", 3)
    assert first["started_at"] <= first["ended_at"] <= second["started_at"]
    assert "drain" not in client.get(f"{RUNS}/{run_id}").json["signals"]


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
    [{}, {"epochs": 0}, {"epochs": 100_001}, {"epochs": 1.5}, {"epochs": "5"}, {"epochs": None},
    {"epochs": True},
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
    assert run["waiting"] is None
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
