"""Figures of the whole cluster: how many runs there are, since when they wait, what was counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from trainyard.runs.record import RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors
from trainyard.store.runs.run_store import FINISH_QUEUE

INFINITE = "+Inf"
_SUM = "sum"


@dataclass
class Histogram:
    """Counts by the upper bounds of buckets, each without those below, and the sum of all values."""

    buckets: dict[str, int] = field(default_factory=dict)
    sum: float = 0.0


@dataclass(frozen=True, kw_only=True)
class QueueFigures:
    """Of one queue: its runs by status, what waits, what is in work, and since when the run waits that waits
    longest, in seconds since 1970; None where none does."""

    runs: Mapping[str, int]
    waiting: int
    in_work: int
    oldest_since: float | None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was counted since this Redis was made: by statistic and label."""

    counts: Mapping[str, Mapping[str, int]]
    histograms: Mapping[str, Mapping[str, Histogram]]


class StatisticsStore:
    """Reads them, by index and never by going through records. Methods raise StoreUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def queue(self, name: str) -> QueueFigures:
        """Of a device class, or of `ingest`. Runs that are finishing have left their device: nobody there has
        them in work."""
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.zcard(keys.queue(name))
            pipeline.zrange(keys.waiting_runs(name), 0, 0, withscores=True)
            for status in RunStatus:
                pipeline.zcard(keys.run_facet("queue", f"{name}:{status}"))
            waiting, oldest, *counts = pipeline.execute()
        runs = dict(zip((status.value for status in RunStatus), counts, strict=True))
        return QueueFigures(
            runs=runs, waiting=waiting, in_work=runs[RunStatus.RUNNING], oldest_since=_since(oldest)
        )

    def finish_queue(self) -> QueueFigures:
        """Of trained runs that owe their results; by status they are counted with their device class."""
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.zcard(keys.queue(FINISH_QUEUE))
            pipeline.zrange(keys.waiting_runs(FINISH_QUEUE), 0, 0, withscores=True)
            pipeline.zcard(keys.index("run", RunStatus.FINISHING, None))
            waiting, oldest, finishing = pipeline.execute()
        return QueueFigures(
            runs={}, waiting=waiting, in_work=max(0, finishing - waiting), oldest_since=_since(oldest)
        )

    def counted(self) -> Counted:
        """All counts and histograms."""
        with store_errors():
            found = cast("dict[str, str]", self._client.hgetall(keys.STATISTICS))
        counts: dict[str, dict[str, int]] = {}
        histograms: dict[str, dict[str, Histogram]] = {}
        for statistic, text in found.items():
            parts = statistic.split("|")  # names, buckets and labels hold no bar
            if len(parts) == 2:
                counts.setdefault(parts[0], {})[parts[1]] = int(text)
                continue
            name, bucket, label = parts
            histogram = histograms.setdefault(name, {}).setdefault(label, Histogram())
            if bucket == _SUM:
                histogram.sum = float(text)
            else:
                histogram.buckets[bucket] = int(text)
        return Counted(counts=counts, histograms=histograms)


def _since(oldest: list[tuple[str, float]]) -> float | None:
    return float(oldest[0][1]) if oldest else None
