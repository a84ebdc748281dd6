"""Why a run waits: to be trained, or to be finished."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trainyard.plugins.spec_offers import asked_of_plugins
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.scheduling.waiting import (
    MESSAGES,
    NOW,
    UNKNOWN,
    Reason,
    Span,
    later,
    predicted_wait,
    reason_to_wait,
)
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.runs.queues import QueuePosition, QueueStore
from trainyard.store.runs.run_store import FINISH_QUEUE

_OPEN = frozenset(
    {Reason.REDIS_RESTARTED, Reason.NO_WORKER, Reason.OLDER_WORKERS, Reason.TOO_FEW_DEVICES, Reason.NO_PLUGIN}
)
"""What nobody can tell the end of."""


@dataclass(frozen=True, kw_only=True)
class PredictedStart:
    """Seconds since 1970, UTC."""

    earliest: float
    latest: float


@dataclass(frozen=True, kw_only=True)
class WaitReason:
    """What a run waits for."""

    code: Reason
    message: str


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The place of a run that waits, 1 for the next to be taken, why it waits, and when it may start."""

    position: int
    reason: WaitReason
    predicted_start: PredictedStart | None


class WaitingService:
    """Answers from the queues, the workers and the progress of what trains."""

    def __init__(self, queues: QueueStore, workers: WorkerStore, runs: RunRegistry) -> None:
        self._queues = queues
        self._workers = workers
        self._runs = runs

    def explain(self, run: Run) -> Waiting | None:
        """Why the run waits; None where it does not."""
        queue_position = self._queues.queue_position(run.id)
        if queue_position is None:
            return None
        if run.status == RunStatus.FINISHING:
            return self._explain_finishing(queue_position)
        if run.awaits_dataset:
            told = WaitReason(code=Reason.AWAITING_DATASET, message=MESSAGES[Reason.AWAITING_DATASET])
            return Waiting(position=queue_position.position, reason=told, predicted_start=None)
        everyone = [worker for worker in self._workers.all() if run.queue in worker.queues]
        reading = [worker for worker in everyone if worker.reads(run.spec.version)]
        asked = [one.key for one in asked_of_plugins(run.spec)]
        offering = [worker for worker in reading if worker.offers_all(asked)]
        serving = [worker for worker in offering if worker.has_devices_for(run.spec.compute.devices_needed)]
        reason = reason_to_wait(
            must_wait=queue_position.must_wait,
            is_over_limit=queue_position.is_over_limit,
            position=queue_position.position,
            serving=len(everyone),
            reading=len(reading),
            offering=len(offering),
            able=len(serving),
            idle=sum(worker.holds is None for worker in serving),
        )
        is_open = reason in _OPEN
        return Waiting(
            position=queue_position.position,
            reason=WaitReason(code=reason, message=MESSAGES[reason]),
            predicted_start=None if is_open else self._predicted_start(run, queue_position, serving),
        )

    def _explain_finishing(self, queue_position: QueuePosition) -> Waiting:
        """Nobody can tell how long a finishing takes, so it has no predicted start."""
        serving = [worker for worker in self._workers.all() if FINISH_QUEUE in worker.queues]
        reason = reason_to_wait(
            must_wait=queue_position.must_wait,
            is_over_limit=False,
            position=queue_position.position,
            serving=len(serving),
            idle=sum(worker.finishing is None for worker in serving),
        )
        told = WaitReason(code=reason, message=MESSAGES[reason])
        return Waiting(position=queue_position.position, reason=told, predicted_start=None)

    def _predicted_start(
        self, run: Run, queue_position: QueuePosition, serving: list[WorkerState]
    ) -> PredictedStart | None:
        now = time.time()
        held = [worker.holds for worker in serving if worker.holds]
        left = self._left(held)
        duration = _typical(
            left[worker.holds].shifted(now - (worker.since or now)) for worker in serving if worker.holds
        )
        slots = [left[worker.holds] if worker.holds else NOW for worker in serving]
        wait = predicted_wait(slots, queue_position.position - 1, duration)
        if queue_position.is_over_limit and queue_position.limit is not None:
            own = [one.id for one in self._runs.page(RunStatus.RUNNING, run.project, None, 200).items]
            shares = [*self._left(own).values(), *[NOW] * (queue_position.limit - len(own))]
            wait = later(wait, predicted_wait(shares, queue_position.own_before, duration))
        if math.isinf(wait.latest):
            return None
        return PredictedStart(earliest=now + wait.earliest, latest=now + wait.latest)

    def _left(self, run_ids: list[str]) -> dict[str, Span]:
        """How long each running run will still take, by its own account."""
        return {
            one: _span(told) for one, told in zip(run_ids, self._runs.live.progresses(run_ids), strict=True)
        }


def _span(progress: dict[str, Any] | None) -> Span:
    low, high = (progress or {}).get("eta_low_seconds"), (progress or {}).get("eta_high_seconds")
    return UNKNOWN if low is None or high is None else Span(earliest=low, latest=high)


def _typical(durations: Iterable[Span]) -> Span:
    """How long a run may take that has not begun: as long as those that run now, from first to last epoch."""
    known = [one for one in durations if not math.isinf(one.latest)]
    if not known:
        return UNKNOWN
    return Span(earliest=min(one.earliest for one in known), latest=max(one.latest for one in known))
