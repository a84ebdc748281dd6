"""Why runs wait, and who works: queues, workers, projects, the order of queued runs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from trainyard.runs.events import Progress
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import Client
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore

API = "/api/v1"
RUNS = f"{API}/runs"


@pytest.fixture
def beat(redis_client: Client) -> Callable[..., WorkerState]:
    """Gives a sign of life of a worker."""

    def give(number: int, holds: str | None = None, since: float | None = None, **values: Any) -> WorkerState:
        defaults = {
            "id": f"host:{number}:x", "host": "host", "pid": number, "queues": ("cpu",),
            "device": "a processor", "memory_bytes": 8, "started_at": 1.0, "holds": holds, "since": since,
        }  # fmt: skip
        worker = WorkerState(**(defaults | values))
        WorkerStore(redis_client).beat(worker)
        return worker

    return give


@pytest.fixture
def waiting(client: FlaskClient) -> Callable[[str], Any]:
    """What GET /runs/{id} says of why it waits."""
    return lambda run_id: client.get(f"{RUNS}/{run_id}").json["waiting"]


def training(hand: Hand, low: float | None, high: float | None) -> str:
    """Claim the next run, which then tells how long it will still take; its id."""
    held = hand.begin()
    progress = Progress(
        stage="train", epoch=2, epochs=20, step=7, steps_per_epoch=5, loss=1.0, images_per_second=10.5,
        eta_seconds=low, eta_low_seconds=low, eta_high_seconds=high,
    )  # fmt: skip
    hand.runs.report(held, progress)
    return held.id


def width(start: dict[str, str]) -> float:
    """Seconds between the earliest and the latest."""
    return (
        datetime.fromisoformat(start["latest"]) - datetime.fromisoformat(start["earliest"])
    ).total_seconds()


def test_without_a_worker_of_its_class_a_run_says_so(
    client: FlaskClient, dataset_id: str, beat: Any, waiting: Any, notified: list[str]
):
    beat(1)
    run = submit(client, dataset_id, device_class="gpu-large").json
    assert (run["queue"], notified[-1]) == ("gpu-large", "gpu-large")
    assert waiting(run["id"]) == {
        "position": 1,
        "reason": {"code": "no_worker", "message": waiting(run["id"])["reason"]["message"]},
        "predicted_start": None,
    }
    beat(2, queues=("gpu", "gpu-large"))
    assert waiting(run["id"])["reason"]["code"] == "starting"


def test_without_a_worker_that_has_its_devices_a_run_says_so(
    client: FlaskClient, dataset_id: str, beat: Any, waiting: Any
):
    run = submit(client, dataset_id, device_class="gpu", spec={"compute": {"devices": 2}}).json
    beat(1, queues=("gpu",), devices=1)
    found = waiting(run["id"])
    assert (found["reason"]["code"], found["predicted_start"]) == ("too_few_devices", None)
    beat(2, queues=("gpu",), devices=2, holds="run-1", since=1.0)
    assert waiting(run["id"])["reason"]["code"] == "workers_busy", "the idle one is none for it"
    beat(3, queues=("gpu",), devices=4)
    assert waiting(run["id"])["reason"]["code"] == "starting"


def test_a_run_that_only_a_newer_worker_understands_says_so(
    client: FlaskClient, dataset_id: str, beat: Any, waiting: Any
):
    run = submit(client, dataset_id, spec={"data": {"val_every_epochs": 2, "loader_workers": 0}}).json
    assert run["spec"]["version"] == 2
    beat(1, queues=(run["queue"],), spec_version=1)
    found = waiting(run["id"])
    assert (found["reason"]["code"], found["predicted_start"]) == ("older_workers", None)
    beat(2, queues=(run["queue"],), spec_version=2)
    assert waiting(run["id"])["reason"]["code"] == "starting"


def test_an_unknown_class_is_refused(client: FlaskClient, dataset_id: str):
    response = submit(client, dataset_id, device_class="tpu")
    assert response.status_code == 422
    assert "cpu, gpu, gpu-large" in response.json["errors"]["device_class"][0]


def test_busy_workers_say_when_they_may_be_free(
    client: FlaskClient, dataset_id: str, hand: Hand, beat: Any, waiting: Any
):
    ids = [submit(client, dataset_id).json["id"] for _ in range(3)]
    begun = beat(1).started_at
    beat(1, holds=training(hand, 60, 90), since=begun)
    first, second = waiting(ids[1]), waiting(ids[2])
    assert (first["position"], first["reason"]["code"]) == (1, "workers_busy")
    assert width(first["predicted_start"]) == pytest.approx(30, abs=0.01)
    assert (second["position"], second["reason"]["code"]) == (2, "runs_before")
    assert width(second["predicted_start"]) == pytest.approx(60, abs=0.01)
    assert second["predicted_start"]["earliest"] > first["predicted_start"]["latest"]


def test_nothing_is_predicted_from_what_cannot_tell(
    client: FlaskClient, dataset_id: str, hand: Hand, beat: Any, waiting: Any
):
    ids = [submit(client, dataset_id).json["id"] for _ in range(2)]
    beat(1, holds=training(hand, None, None), since=1.0)
    found = waiting(ids[1])
    assert (found["reason"]["code"], found["predicted_start"]) == ("workers_busy", None)


def test_a_project_at_its_limit_waits_for_its_own(
    client: FlaskClient, dataset_id: str, hand: Hand, beat: Any, waiting: Any
):
    assert client.put(f"{API}/projects/lab", json={"max_concurrent": 1}).status_code == 200
    ids = [submit(client, dataset_id, project=project).json["id"] for project in ("lab", "lab", "x")]
    beat(1, holds=training(hand, 60, 90), since=1.0)
    beat(2)
    held_up, free = waiting(ids[1]), waiting(ids[2])
    assert (held_up["position"], held_up["reason"]["code"]) == (2, "project_limit")
    assert (free["position"], free["reason"]["code"]) == (1, "starting")
    assert width(held_up["predicted_start"]) >= 30
    assert hand.begin().id == ids[2]
    assert hand.runs.claim("cpu", "hand") is None


def test_the_grace_after_a_start_of_redis_is_told(
    client: FlaskClient, run_id: str, beat: Any, waiting: Any, redis_client: Client
):
    beat(1)
    redis_client.hset("ty:server", "run_id", "another")
    redis_client.set("ty:lease_clock", "9")
    assert waiting(run_id)["reason"]["code"] == "redis_restarted"
    (cpu,) = [q for q in client.get(f"{API}/queues").json["items"] if q["name"] == "cpu"]
    assert cpu["projects"][0]["reason"]["code"] == "redis_restarted"


def test_the_queues_tell_what_waits_and_why(client: FlaskClient, dataset_id: str, hand: Hand, beat: Any):
    submit(client, dataset_id, project="a")
    for project in ("a", "a", "b"):
        submit(client, dataset_id, project=project)
    client.put(f"{API}/projects/a", json={"max_concurrent": 1})
    beat(1, holds=hand.begin().id, since=1.0)
    beat(2, queues=("ingest",))
    queues = {queue["name"]: queue for queue in client.get(f"{API}/queues").json["items"]}
    assert list(queues) == ["cpu", "finish", "gpu", "gpu-large", "ingest"]
    cpu = queues["cpu"]
    assert (cpu["workers"], cpu["idle"], cpu["waiting"]) == (["host:1:x"], 0, 3)
    assert len(cpu["in_work"]) == 1
    told = [(p["project"], p["waiting"], p["running"], p["limit"]) for p in cpu["projects"]]
    assert told == [("a", 2, 1, 1), ("b", 1, 0, None)]
    assert [p["reason"]["code"] for p in cpu["projects"]] == ["project_limit", "workers_busy"]
    assert (queues["gpu"]["workers"], queues["gpu"]["waiting"]) == ([], 0)
    assert queues["ingest"]["idle"] == 1


def test_the_workers_are_listed(client: FlaskClient, beat: Any):
    assert client.get(f"{API}/workers").json == {"items": []}
    beat(1, holds="run-1", attempt=3, since=2.0, versions={"torch": "2.9.0"})
    assert client.get(f"{API}/workers").json["items"] == [
        {
            "id": "host:1:x", "host": "host", "pid": 1, "queues": ["cpu"], "device": "a processor",
            "memory_bytes": 8, "figures": [], "offers": [], "started_at": "1970-01-01T00:00:01.000Z",
            "holds": "run-1", "attempt": 3, "versions": {"torch": "2.9.0"},
            "since": "1970-01-01T00:00:02.000Z", "finishing": None, "housekeeping_at": None,
            "is_stalled": False, "is_drained": False, "unreadable": None,
        }
    ]  # fmt: skip


def test_only_a_worker_that_is_there_is_drained(client: FlaskClient, beat: Any, redis_client: Client):
    beat(1)
    workers = WorkerStore(redis_client)
    assert client.post(f"{API}/workers/host:1:x/drain").json["id"] == "host:1:x"
    assert workers.is_drained("host:1:x")
    assert client.post(f"{API}/workers/host:1:x/drain").status_code == 202
    assert client.delete(f"{API}/workers/host:1:x/drain").status_code == 202
    assert not workers.is_drained("host:1:x")
    for call in (client.post, client.delete):
        answer = call(f"{API}/workers/host:2:y/drain")
        assert answer.status_code == 404
        assert answer.json["errors"]["worker_id"] == ["host:1:x"]
    client.post(f"{API}/workers/host:1:x/drain")
    workers.leave("host:1:x")
    assert not workers.is_drained("host:1:x"), "nothing is left of one that has ended"


def test_a_project_has_the_yards_limit_or_its_own(client: FlaskClient, storage: Storage):
    url = f"{API}/projects/lab%20/%20猫"
    assert client.get(url).json == {
        "name": "lab / 猫", "max_concurrent": None, "effective": None, "description": "", "created_at": None,
        "runs": {}, "datasets": 0, "newest_at": None,
    }  # fmt: skip
    assert client.put(url, json={"max_concurrent": 2}).json["effective"] == 2
    assert client.get(url).json["max_concurrent"] == 2
    assert read_json(storage.projects)["max_concurrent"] == {"lab / 猫": 2}
    assert client.put(url, json={"max_concurrent": None}).json["effective"] is None


@pytest.mark.parametrize(
    "body", [{}, {"max_concurrent": 0}, {"max_concurrent": "2"}, {"max_concurrent": 10_001}, {"x": 1}, []]
)
def test_odd_limits(client: FlaskClient, body: Any):
    assert client.put(f"{API}/projects/lab", json=body).status_code == 422


@pytest.mark.parametrize("name", ["%0A", "%20", "x" * 101])
def test_names_that_no_project_has(client: FlaskClient, name: str):
    assert client.get(f"{API}/projects/{name}").status_code == 404
    assert client.put(f"{API}/projects/{name}", json={"max_concurrent": 1}).status_code == 404


def test_a_queued_run_goes_to_the_front(client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage):
    ids = [submit(client, dataset_id).json["id"] for _ in range(3)]
    moved = client.post(f"{RUNS}/{ids[2]}/move", json={"to": "front"})
    assert (moved.status_code, moved.json["waiting"]["position"]) == (200, 1)
    record = read_json(storage.run(ids[2]).record)
    assert record["place"] < record["created_at"]
    again = client.post(f"{RUNS}/{ids[2]}/move", json={"to": "front"})
    assert again.json["revision"] == moved.json["revision"]
    assert hand.begin().id == ids[2]
    refused = client.post(f"{RUNS}/{ids[2]}/move", json={"to": "front"})
    assert (refused.status_code, refused.json["errors"]) == (409, {"status": "running"})


def test_a_queued_run_goes_beside_another(client: FlaskClient, dataset_id: str, hand: Hand):
    ids = [submit(client, dataset_id).json["id"] for _ in range(3)]
    moved = client.post(f"{RUNS}/{ids[2]}/move", json={"before": ids[1]})
    assert (moved.status_code, moved.json["waiting"]["position"]) == (200, 2)
    moved = client.post(f"{RUNS}/{ids[0]}/move", json={"after": ids[2]})
    assert (moved.status_code, moved.json["waiting"]["position"]) == (200, 2)
    refused = client.post(f"{RUNS}/{ids[0]}/move", json={"after": ids[0]})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["after"])
    other = submit(client, dataset_id, priority=7).json["id"]
    refused = client.post(f"{RUNS}/{ids[0]}/move", json={"before": other})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["before"])
    assert [hand.begin().id for _ in range(4)] == [other, ids[2], ids[0], ids[1]]


@pytest.mark.parametrize(
    "body",
    [{}, {"to": "back"}, {"to": None}, {"before": "run-1"}, {"to": "front", "after": "run-000000000001"}, []],
)
def test_odd_moves(client: FlaskClient, run_id: str, body: Any):
    assert client.post(f"{RUNS}/{run_id}/move", json=body).status_code == 422


def test_a_priority_moves_a_queued_run(client: FlaskClient, dataset_id: str, hand: Hand):
    ids = [submit(client, dataset_id, priority=p).json["id"] for p in (9, 0)]
    client.patch(f"{RUNS}/{ids[0]}", json={"priority": 0})
    client.patch(f"{RUNS}/{ids[1]}", json={"priority": 1})
    assert hand.begin().id == ids[1]
