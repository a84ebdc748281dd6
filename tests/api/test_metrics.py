"""/metrics, read by Prometheus' own parser."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

import trainyard_client
from app import create_app
from tests.api.conftest import Hand, submit
from trainyard.runs.events import Progress
from trainyard.settings import Settings
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.processes.worker_record import DeviceFigures, WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.version import VERSION

PREFIX = "trainyard_"
Samples = Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]


def scraped(client: FlaskClient) -> Samples:
    """Each sample's value by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            assert sample.name.startswith(PREFIX), sample.name
            labels = tuple(sorted(sample.labels.items()))
            found.setdefault(sample.name.removeprefix(PREFIX), {})[labels] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get(name, {}).get(tuple(sorted(labels.items())))


def worker(queues: tuple[str, ...], **values: Any) -> WorkerState:
    state: dict[str, Any] = {
        "id": "w",
        "host": "h",
        "pid": 1,
        "device": "d",
        "memory_bytes": 8,
        "started_at": 1.0,
    }
    return WorkerState(queues=queues, **(state | values))


def test_runs_and_queues(client: FlaskClient, dataset_id: str, hand: Hand):
    for _ in range(4):
        submit(client, dataset_id)
    hand.runs.finish(hand.begin(), "completed", used_seconds=400.0)
    hand.runs.release(hand.begin())
    hand.begin()
    found = scraped(client)
    statuses = {"queued": 2, "running": 1, "completed": 1, "failed": 0}
    assert {one: value(found, "runs", status=one, queue="cpu") for one in statuses} == statuses
    assert value(found, "queue_waiting", queue="cpu") == 2
    assert value(found, "queue_wanted_workers", queue="cpu") == 3
    assert value(found, "queue_wanted_workers", queue="gpu") == 0
    assert (value(found, "queue_oldest_wait_seconds", queue="cpu") or 0) > 0
    assert value(found, "queue_oldest_wait_seconds", queue="gpu") == 0
    assert value(found, "attempts_total", reason="completed") == 1
    assert value(found, "attempts_total", reason="drained") == 1
    assert value(found, "run_wait_seconds_count", queue="cpu") == 3
    assert value(found, "run_wait_seconds_bucket", queue="cpu", le="60") in (3, None)
    assert value(found, "run_wait_seconds_bucket", queue="cpu", le="+Inf") == 3
    assert value(found, "run_duration_seconds_sum", outcome="completed") == 400
    assert value(found, "run_duration_seconds_bucket", outcome="completed", le="900") == 1


def test_trained_runs_wait_in_a_queue_of_their_own(
    client: FlaskClient, dataset_id: str, hand: Hand, redis_client: Client
):
    for _ in range(4):
        submit(client, dataset_id)
        held = hand.begin()
        reached = {"epoch": held.epochs, "step": 9, "used_seconds": 1.0, "result": {"epoch": held.epochs}}
        hand.runs.hand_over(held, held.epochs, **reached)
    taken = hand.runs.claim("finish", "w")
    assert taken
    hand.runs.finish(taken, "completed")
    hand.runs.claim("finish", "w")
    WorkerStore(redis_client).beat(worker(("cpu", "finish"), holds="run-1"))
    found = scraped(client)
    assert value(found, "queue_waiting", queue="finish") == 2
    assert value(found, "queue_wanted_workers", queue="finish") == 3
    assert (value(found, "queue_oldest_wait_seconds", queue="finish") or 0) > 0
    assert value(found, "run_wait_seconds_count", queue="finish") == 2
    assert value(found, "runs", status="finishing", queue="cpu") == 3
    assert value(found, "queue_wanted_workers", queue="cpu") == 1, "what it holds"


def test_a_trained_run_that_is_cancelled_waits_no_more(client: FlaskClient, run_id: str, hand: Hand):
    held = hand.begin()
    hand.runs.hand_over(held, held.epochs, epoch=held.epochs, step=9, used_seconds=1.0, result={"epoch": 1})
    client.post(f"/api/v1/runs/{run_id}/cancel")
    found = scraped(client)
    assert value(found, "queue_waiting", queue="finish") == 0
    assert value(found, "queue_oldest_wait_seconds", queue="finish") == 0
    assert value(found, "run_wait_seconds_count", queue="finish") is None, "it was never taken"


def test_a_run_that_leaves_every_queue_waits_no_more(client: FlaskClient, run_id: str, redis_client: Client):
    assert redis_client.zcard(keys.waiting_runs("cpu")) == 1
    client.post(f"/api/v1/runs/{run_id}/cancel")
    client.delete(f"/api/v1/runs/{run_id}")
    found = scraped(client)
    assert value(found, "queue_oldest_wait_seconds", queue="cpu") == 0
    assert {n for labels, n in found["runs"].items() if ("queue", "cpu") in labels} == {0}
    assert value(found, "run_wait_seconds_count", queue="cpu") is None, "it was never taken"


def test_workers_and_what_they_do(client: FlaskClient, run_id: str, hand: Hand, redis_client: Client):
    held = hand.begin()
    progress = Progress(stage="train", epoch=1, epochs=2, step=1, steps_per_epoch=5, loss=0.5,
                        images_per_second=33.5, eta_seconds=None)  # fmt: skip
    hand.runs.report(held, progress)
    figures = (
        DeviceFigures(
            name="d", memory_used_bytes=5, memory_total_bytes=8, utilization=0.25, temperature_c=None
        ),
        DeviceFigures(
            name="d", memory_used_bytes=None, memory_total_bytes=8, utilization=None, temperature_c=70
        ),
    )
    busy = worker(("gpu", "cpu"), holds=run_id, devices=2, is_stalled=True, figures=figures)
    WorkerStore(redis_client).beat(busy)
    WorkerStore(redis_client).beat(worker(("ingest",), id="i", holds="ds-1"))
    found = scraped(client)
    assert value(found, "worker_up", worker="w", host="h", queues="gpu,cpu") == 1
    assert (value(found, "worker_stalled", worker="w"), value(found, "worker_stalled", worker="i")) == (1, 0)
    assert value(found, "images_per_second", worker="w") == 33.5
    first, second = ({"worker": "w", "gpu": number, "device": "d"} for number in "01")
    assert value(found, "gpu_memory_total_bytes", **first) == 8
    assert value(found, "gpu_memory_used_bytes", **first) == 5
    assert value(found, "gpu_utilization_ratio", **first) == 0.25
    assert value(found, "gpu_temperature_celsius", **first) is None
    assert value(found, "gpu_temperature_celsius", **second) == 70
    assert value(found, "gpu_utilization_ratio", **second) is None
    assert {labels for labels in found["gpu_memory_total_bytes"] if ("worker", "i") in labels} == set()
    assert (value(found, "queue_workers", queue="cpu"), value(found, "queue_workers", queue="gpu-large")) == (
        1,
        0,
    )
    assert value(found, "queue_wanted_workers", queue="ingest") == 1


def test_requests_are_timed_by_route_and_not_by_address(client: FlaskClient, run_id: str):
    for path in (f"/api/v1/runs/{run_id}", "/api/v1/runs/run-000000000000", "/nowhere/at/all", "/healthz"):
        client.get(path)
    client.open("/healthz", method="BREW")
    found = scraped(client)
    name, route = "http_request_duration_seconds_count", "/api/v1/runs/<run_id>"
    assert value(found, name, method="GET", route=route, code="200") == 1
    assert value(found, name, method="GET", route=route, code="404") == 1
    assert value(found, name, method="GET", route="none", code="404") == 1
    assert value(found, name, method="other", route="none", code="405") == 1
    assert not any(run_id in str(labels) for labels in found[name])


def test_figures_of_this_process_come_without_redis(settings: Settings):
    settings.storage.mkdir()
    client = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0")).test_client()
    found = scraped(client)
    assert value(found, "redis_up") == 0
    assert value(found, "build_info", version=VERSION) == 1
    assert (value(found, "storage_free_bytes") or 0) > 0
    assert value(found, "event_streams") == 0
    assert "runs" not in found


def test_the_version_is_that_of_the_package():
    assert trainyard_client.__version__ == VERSION
