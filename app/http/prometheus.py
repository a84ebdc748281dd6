"""Figures for Prometheus: of the cluster at each scrape, and of the requests that this process answers."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.service.cluster.figures import ClusterFigures, StoreFigures
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.runs.run_store import FINISH_QUEUE
from trainyard.store.runs.statistics import INFINITE
from trainyard.store.runs.statistics import Histogram as Counts
from trainyard.version import VERSION

PATH = "/metrics"
CONTENT_TYPE = CONTENT_TYPE_LATEST
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_HISTOGRAMS = {
    "run_wait_seconds": ("queue", "How long runs waited in their queue before an attempt took them."),
    "run_duration_seconds": ("outcome", "How long all attempts at runs that ended have trained."),
}
_OF_A_GPU = {
    "utilization_ratio": ("utilization", "How busy a GPU is, 0 to 1."),
    "memory_used_bytes": ("memory_used_bytes", "Memory of a GPU in use."),
    "memory_total_bytes": ("memory_total_bytes", "Memory of a GPU."),
    "temperature_celsius": ("temperature_c", "How warm a GPU is."),
}
_COUNTERS = {"attempts_total": ("reason", "Attempts that have ended, by what ended them.")}


def register(app: Flask, look: Callable[[], ClusterFigures]) -> CollectorRegistry:
    """Time every request of the application; the registry of all figures."""
    registry = CollectorRegistry()
    registry.register(ClusterCollector(look))
    seconds = Histogram(
        "trainyard_http_request_duration_seconds",
        "How long this process took to begin an answer.",
        ("method", "route", "code"),
        registry=registry,
        buckets=_REQUEST_SECONDS,
    )

    def begin() -> None:
        g.began_at = time.perf_counter()

    def finish(response: Response) -> Response:
        began_at = g.get("began_at")
        if began_at is not None:
            route = request.url_rule.rule if request.url_rule else "none"
            method = request.method if request.method in _METHODS else "other"
            seconds.labels(method, route, response.status_code).observe(time.perf_counter() - began_at)
        return response

    app.before_request(begin)
    app.after_request(finish)
    return registry


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A client may call a method anything, and a label must not grow without end."""


def exposition(registry: CollectorRegistry) -> bytes:
    """All figures as text."""
    text: bytes = generate_latest(registry)
    return text


class ClusterCollector(Collector):
    """Looks at the cluster when it is scraped: no figure is older than that, and none is kept between."""

    def __init__(self, look: Callable[[], ClusterFigures]) -> None:
        self._look = look

    def describe(self) -> list[Metric]:
        """Nothing: registering must not look at the cluster."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Each family with its samples; those of Redis are absent while it is away."""
        figures = self._look()
        yield _gauge("build_info", "Which Trainyard this is.", ("version",), {(VERSION,): 1})
        yield _gauge("redis_up", "Whether Redis answers.", (), {(): int(figures.store is not None)})
        yield _gauge("event_streams", "Live streams of this process.", (), {(): figures.event_streams})
        if figures.storage_free_bytes is not None and figures.storage_total_bytes is not None:
            free, total = figures.storage_free_bytes, figures.storage_total_bytes
            yield _gauge("storage_free_bytes", "Room on the shared storage.", (), {(): free})
            yield _gauge("storage_total_bytes", "Size of the shared storage.", (), {(): total})
        if figures.store:
            yield from _queues(figures.store, figures.now)
            yield from _workers(figures.store)
            yield from _counted(figures.store)


def _queues(store: StoreFigures, now: float) -> Iterator[Metric]:
    queues = store.queues.items()
    runs = {(status, name): n for name, one in queues for status, n in one.runs.items()}
    yield _gauge("runs", "Runs by status and device class.", ("status", "queue"), runs)
    waiting = {(name,): one.waiting for name, one in queues}
    yield _gauge("queue_waiting", "What waits in a queue.", ("queue",), waiting)
    oldest = {
        (name,): 0.0 if one.oldest_since is None else max(0.0, now - one.oldest_since) for name, one in queues
    }
    help = "How long the run has waited that waits longest."
    yield _gauge("queue_oldest_wait_seconds", help, ("queue",), oldest)
    serving = {(name,): sum(name in one.queues for one in store.workers) for name, _ in queues}
    yield _gauge("queue_workers", "Workers that serve a queue.", ("queue",), serving)
    held = {name: sum(_works_for(one, name) for one in store.workers) for name, _ in queues}
    wanted = {(name,): one.waiting + max(one.in_work, held[name]) for name, one in queues}
    help = "Workers that would leave nothing waiting: what waits and what is in work. Scale on this."
    yield _gauge("queue_wanted_workers", help, ("queue",), wanted)


def _works_for(worker: WorkerState, queue: str) -> bool:
    """Whether it has something of that queue in work, as far as it can be told of one that serves several."""
    return bool(worker.finishing if queue == FINISH_QUEUE else worker.holds and queue in worker.queues)


def _workers(store: StoreFigures) -> Iterator[Metric]:
    up = {(one.id, one.host, ",".join(one.queues)): 1 for one in store.workers}
    yield _gauge("worker_up", "Workers that give signs of life.", ("worker", "host", "queues"), up)
    stalled = {(one.id,): int(one.is_stalled) for one in store.workers}
    yield _gauge(
        "worker_stalled", "Whether a worker's housekeeping has not come round.", ("worker",), stalled
    )
    speeds = {(worker,): speed for worker, speed in store.speeds.items()}
    yield _gauge("images_per_second", "Training images a second.", ("worker",), speeds)
    yield from _devices(store.workers)


def _devices(workers: Sequence[WorkerState]) -> Iterator[Metric]:
    """Of GPUs alone; what one does not tell is absent."""
    told = {
        (worker.id, str(number), one.name): one
        for worker in workers
        if worker.devices
        for number, one in enumerate(worker.figures)
    }
    for name, (field, help) in _OF_A_GPU.items():
        values = {labels: getattr(one, field) for labels, one in told.items()}
        known = {labels: value for labels, value in values.items() if value is not None}
        yield _gauge(f"gpu_{name}", help, ("worker", "gpu", "device"), known)


def _counted(store: StoreFigures) -> Iterator[Metric]:
    for name, (label, help) in _COUNTERS.items():
        counter = CounterMetricFamily(f"trainyard_{name}", help, labels=(label,))
        for value, n in store.counted.counts.get(name, {}).items():
            counter.add_metric((value,), n)
        yield counter
    for name, (label, help) in _HISTOGRAMS.items():
        histogram = HistogramMetricFamily(f"trainyard_{name}", help, labels=(label,))
        for value, counts in store.counted.histograms.get(name, {}).items():
            histogram.add_metric((value,), _cumulated(counts), counts.sum)
        yield histogram


def _cumulated(counts: Counts) -> list[tuple[str, float]]:
    """Buckets as Prometheus has them: each with all below."""
    found: list[tuple[str, float]] = []
    total = 0
    for bound in sorted({*counts.buckets, INFINITE}, key=float):
        total += counts.buckets.get(bound, 0)
        found.append((bound, total))
    return found


def _gauge(name: str, help: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    """One family; each value by those of its labels, a tuple."""
    family = GaugeMetricFamily(f"trainyard_{name}", help, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
