"""Cancel, resume, retry, fork and delete runs."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit, upload
from tests.api.server import Server
from trainyard.runs.fork_origin import checkpoint_file, keep_origin, origin_file
from trainyard.runs.record import ForkedFrom
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json

RUNS = "/api/v1/runs"


def put_checkpoints(storage: Storage, run_id: str) -> None:
    folder = storage.run(run_id)
    folder.checkpoints.mkdir(parents=True)
    for path in (folder.best_checkpoint, folder.last_checkpoint, folder.epoch_checkpoint(2)):
        path.write_bytes(path.name.encode())


@pytest.fixture
def ended(client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage) -> str:
    """A completed run of four epochs, with checkpoints."""
    spec = {"epochs": 4, "seed": 7, "augmentation": {"preset": "strong"}}
    run_id = str(submit(client, dataset_id, name="first", spec=spec).json["id"])
    put_checkpoints(storage, run_id)
    hand.runs.finish(hand.begin(), "completed", epoch=4, result={"epoch": 4})
    return run_id


def test_the_whole_life_over_http(server: Server):
    http, hand = server.http, server.runs
    answer = http.post(
        "/api/v1/datasets", data={"name": "a"}, files={"file": ("a.zip", b"PK\x05\x06" + bytes(18))}
    )
    assert answer.status_code == 202, answer.text
    body = {"dataset_id": server.ready_set(), "spec": {"epochs": 4}}
    run_id = http.post(RUNS, json=body).json()["id"]
    url = f"{RUNS}/{run_id}"

    def post(what: str, status: int = 200, **json: Any) -> dict[str, Any]:
        answer = http.post(f"{url}/{what}", json=json or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    refused = post("retry", 409)
    assert (refused["code"], refused["errors"]) == ("conflict", {"status": "queued"})
    held = hand.claim("cpu", "hand")
    assert held
    assert http.delete(url).status_code == 409
    hand.publish_status(hand.finish(held, "failed", epoch=2, error={"code": "child_died"}))
    assert post("cancel", 409)["errors"] == {"status": "failed"}
    for _ in range(2):
        assert post("retry")["reopened_by"] == "retry"
    held = hand.claim("cpu", "hand")
    assert held
    put_checkpoints(server.storage, run_id)
    hand.publish_status(hand.finish(held, "completed", epoch=4))
    assert post("resume", 409)["errors"] == {"status": "completed", "epochs": ["above 4"]}
    for _ in range(2):
        assert (post("resume", epochs=9)["status"], post("resume", epochs=9)["epochs"]) == ("queued", 9)
    fork = post("fork", 201, checkpoint="2")
    assert (fork["forked_from"]["run_id"], fork["forked_from"]["checkpoint"]) == (run_id, "2")
    held = hand.claim("cpu", "hand")
    assert held
    assert post("cancel")["signals"]["cancel"] is True
    hand.publish_status(hand.finish(held, "completed", epoch=9))
    assert post("cancel")["status"] == "cancelled"
    assert not server.storage.run(run_id).checkpoints.exists()
    events = http.get(f"{url}/events").text
    told = [json.loads(line[5:])["status"] for line in events.splitlines() if line.startswith("data:")]
    assert told == ["queued", "failed", "queued", "completed", "queued", "cancelled"]
    for _ in range(2):
        assert http.delete(url).status_code == 204
    assert http.get(url).status_code == 404
    assert not server.storage.run(run_id).path.exists()
    assert [run["id"] for run in http.get(RUNS).json()["items"]] == [fork["id"]]


def test_a_fork_has_its_own_spec_and_its_own_copy(
    client: FlaskClient, ended: str, storage: Storage, notified: list[str]
):
    spec = {"optimization": {"learning_rate": 0.5}, "augmentation": {"preset": "none"}}
    client.patch(f"{RUNS}/{ended}", json={"max_hours": 5})
    answer = client.post(f"{RUNS}/{ended}/fork", json={"spec": spec, "priority": 3})
    assert answer.status_code == 201, answer.text
    fork, origin = answer.json, client.get(f"{RUNS}/{ended}").json
    assert answer.headers["Location"] == f"{RUNS}/{fork['id']}"
    assert (fork["status"], fork["name"], fork["priority"]) == ("queued", "Fork of first", 3)
    assert (fork["spec"]["seed"], fork["epochs"]) == (7, 4), "as in the run that is forked"
    assert fork["spec"]["optimization"]["learning_rate"] == 0.5
    assert fork["spec"]["augmentation"]["transforms"] == []
    assert fork["spec"]["model"] == origin["spec"]["model"]
    assert fork["forked_from"] == {
        "run_id": ended, "checkpoint": "best", "loaded_layers": None, "total_layers": None, "skipped": [],
    }  # fmt: skip
    assert (fork["queue"], fork["max_hours"]) == (origin["queue"], 5)
    assert notified.count("cpu") == 2
    assert client.delete(f"{RUNS}/{ended}").status_code == 204
    kept = storage.run(fork["id"]).origin / f"{ended}-best.ckpt"
    assert kept.read_bytes() == b"best.ckpt"
    assert read_json(storage.run(fork["id"]).record)["forked_from"]["run_id"] == ended
    cancelled = client.post(f"{RUNS}/{fork['id']}/cancel").json
    assert cancelled["status"] == "cancelled"
    assert not kept.parent.exists()


def test_a_fork_onto_another_set(client: FlaskClient, ended: str, hand: Hand):
    upload(client, name="others")
    other = hand.ingest(content_hash="def0" * 16)
    fork = client.post(f"{RUNS}/{ended}/fork", json={"checkpoint": "last", "dataset_id": other}).json
    assert (fork["dataset_id"], fork["dataset_hash"]) == (other, "def0" * 16)


def test_a_fork_with_a_key_is_made_once(client: FlaskClient, ended: str, storage: Storage):
    def fork(**body: Any) -> Any:
        return client.post(f"{RUNS}/{ended}/fork", json=body, headers={"Idempotency-Key": "k"})

    first = fork(checkpoint="best")
    storage.run(ended).best_checkpoint.unlink()
    again = fork(checkpoint="best")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert fork(checkpoint="last").status_code == 409
    assert len(client.get(RUNS).json["items"]) == 2


def test_a_run_without_checkpoints_is_not_forked(client: FlaskClient, run_id: str):
    answer = client.post(f"{RUNS}/{run_id}/fork")
    assert answer.status_code == 409
    assert answer.json["errors"]["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"checkpoint": "3"}, "checkpoint"),
        ({"checkpoint": "../last"}, "checkpoint"),
        ({"checkpoint": "0"}, "checkpoint"),
        ({"checkpoint": 2}, "checkpoint"),
        ({"spec": {"model": {"encoder": "resnet19"}}}, "spec"),
        ({"spec": {"epochs": 0}}, "spec"),
        ({"dataset": "x"}, "dataset"),
        ({"name": ""}, "name"),
    ],
)
def test_odd_forks(client: FlaskClient, ended: str, storage: Storage, body: dict[str, Any], field: str):
    answer = client.post(f"{RUNS}/{ended}/fork", json=body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json["errors"]
    assert [path.name for path in (storage.root / "runs").iterdir()] == [ended]


def test_an_absent_checkpoint_is_answered_with_those_there_are(client: FlaskClient, ended: str):
    answer = client.post(f"{RUNS}/{ended}/fork", json={"checkpoint": "3"})
    assert answer.json["errors"] == {"checkpoint": ["one of: best, last, 2"]}


@pytest.mark.parametrize("body", [{"epochs": 0}, {"epochs": "9"}, {"epochs": None}, {"what": 1}, []])
def test_odd_resumes(client: FlaskClient, ended: str, body: Any):
    assert client.post(f"{RUNS}/{ended}/resume", json=body).status_code == 422
    assert client.get(f"{RUNS}/{ended}").json["status"] == "completed"


def test_a_resumed_run_is_kicked_and_its_stream_goes_on(
    client: FlaskClient, ended: str, hand: Hand, notified: list[str]
):
    hand.runs.publish_status(hand.runs.get(ended))
    first = client.get(f"{RUNS}/{ended}/events").text
    assert first.count("event: status") == 2
    client.post(f"{RUNS}/{ended}/resume", json={"epochs": 6})
    assert notified == ["ingest", "cpu", "cpu"]
    hand.runs.publish_status(hand.runs.finish(hand.begin(), "completed", epoch=6))
    whole = client.get(f"{RUNS}/{ended}/events").text
    assert whole.startswith(first)
    assert whole.count("event: status") == 4


@pytest.mark.parametrize("what", ["cancel", "resume", "retry", "fork"])
@pytest.mark.parametrize("identifier", ["run-000000000000", "ds-000000000000", "x", "..%2fx"])
def test_unknown_runs(client: FlaskClient, what: str, identifier: str):
    assert client.post(f"{RUNS}/{identifier}/{what}").status_code == 404
    assert client.delete(f"{RUNS}/{identifier}").status_code == 404


def test_a_fork_begins_with_the_file_that_it_kept(ended: str, storage: Storage):

    fork = storage.run("run-0000000000f0")
    for name in ("best", "last", "2"):
        origin = ForkedFrom(run_id=ended, checkpoint=name)
        for _ in range(2):
            keep_origin(storage, "run-0000000000f0", origin)
        source = checkpoint_file(storage.run(ended), name)
        assert origin_file(fork, origin).samefile(source)
