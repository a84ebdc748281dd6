"""Figures of the whole cluster: how many runs there are, since when they wait, what was counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from trainyard.runs.record import RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

INFINITE = "+Inf"
_SUM = "sum"


@dataclass
class Histogram:
    """Counts by the upper bounds of buckets, each without those below, and the sum of all values."""

    buckets: dict[str, int] = field(default_factory=dict)
    sum: float = 0.0


@dataclass(frozen=True, kw_only=True)
class QueueFigures:
    """Of one queue: its runs by status, what waits, and since when the run does that waits longest, in
    seconds since 1970; None where none does."""

    runs: Mapping[str, int]
    waiting: int
    oldest_since: float | None

    @property
    def in_work(self) -> int:
        """Runs that hold a device; those that are finishing have left it."""
        return self.runs[RunStatus.RUNNING]


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
        """The figures of a queue."""
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.zcard(keys.queue(name))
            pipeline.zrange(keys.waiting_runs(name), 0, 0, withscores=True)
            for status in RunStatus:
                pipeline.zcard(keys.run_facet("queue", f"{name}:{status}"))
            waiting, oldest, *counts = pipeline.execute()
        return QueueFigures(
            runs=dict(zip((status.value for status in RunStatus), counts, strict=True)),
            waiting=waiting,
            oldest_since=float(oldest[0][1]) if oldest else None,
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
