"""Why a run waits, and for how long it may."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """What a queued run waits for."""

    AWAITING_DATASET = "awaiting_dataset"
    REDIS_RESTARTED = "redis_restarted"
    NO_WORKER = "no_worker"
    OLDER_WORKERS = "older_workers"
    TOO_FEW_DEVICES = "too_few_devices"
    NO_PLUGIN = "no_plugin"
    PROJECT_LIMIT = "project_limit"
    WORKERS_BUSY = "workers_busy"
    RUNS_BEFORE = "runs_before"
    STARTING = "starting"


MESSAGES = {
    Reason.AWAITING_DATASET: "Its data set is being read; the run then waits for a worker.",
    Reason.REDIS_RESTARTED: "Redis has just started and may have forgotten who holds what; "
    "runs are given out again once every worker had time to say so.",
    Reason.NO_WORKER: "No worker serves this queue at present.",
    Reason.OLDER_WORKERS: "The workers of this queue are of an earlier release, which does not know all that "
    "the run asks for; it waits for one of this release.",
    Reason.TOO_FEW_DEVICES: "No worker of this device class has as many devices as the run wants "
    "(compute.devices).",
    Reason.NO_PLUGIN: "No worker of this device class has the plug-ins that the run asks for.",
    Reason.PROJECT_LIMIT: "The project has as many runs in work, or about to be, as it may have at once.",
    Reason.WORKERS_BUSY: "All workers of this queue are busy.",
    Reason.RUNS_BEFORE: "Other runs have their turn before.",
    Reason.STARTING: "A worker is free and is about to take it.",
}


def reason_to_wait(
    *,
    must_wait: bool,
    is_over_limit: bool,
    position: int,
    serving: int,
    idle: int,
    able: int | None = None,
    reading: int | None = None,
    offering: int | None = None,
) -> Reason:
    """The first reason that applies.

    `serving` workers are there for the queue, `idle` of them free; `reading` of them understand the run's
    spec, `offering` of those have the plug-ins that it asks for, and `able` of those the devices that it
    wants; None where no run is asked about.
    """
    if must_wait:
        return Reason.REDIS_RESTARTED
    if not serving:
        return Reason.NO_WORKER
    if reading == 0:
        return Reason.OLDER_WORKERS
    if offering == 0:
        return Reason.NO_PLUGIN
    if able == 0:
        return Reason.TOO_FEW_DEVICES
    if is_over_limit:
        return Reason.PROJECT_LIMIT
    if position <= idle:
        return Reason.STARTING
    return Reason.WORKERS_BUSY if position == 1 else Reason.RUNS_BEFORE


@dataclass(frozen=True, kw_only=True)
class Span:
    """Seconds from now: not before `earliest`, probably not after `latest`, which may be infinite."""

    earliest: float
    latest: float

    def shifted(self, seconds: float) -> "Span":
        """The same so much later."""
        return Span(earliest=self.earliest + seconds, latest=self.latest + seconds)


UNKNOWN = Span(earliest=0.0, latest=math.inf)
NOW = Span(earliest=0.0, latest=0.0)


def predicted_wait(slots: Sequence[Span], ahead: int, duration: Span) -> Span:
    """When a slot is free for a run that `ahead` others go before.

    `slots` says when each slot is free of what it does now, `duration` how long a run takes. Every slot goes
    to the next in turn as soon as it is free: once with all at their shortest, once at their longest.
    """
    return Span(
        earliest=_nth_free([slot.earliest for slot in slots], ahead, duration.earliest),
        latest=_nth_free([slot.latest for slot in slots], ahead, duration.latest),
    )


def later(a: Span, b: Span) -> Span:
    """When both have come."""
    return Span(earliest=max(a.earliest, b.earliest), latest=max(a.latest, b.latest))


def _nth_free(free_at: list[float], ahead: int, duration: float) -> float:
    if not free_at:
        return math.inf
    heapq.heapify(free_at)
    for _ in range(ahead):
        heapq.heapreplace(free_at, free_at[0] + duration)
    return free_at[0]
