"""What a worker answers while a client waits: asked over Redis, within a time limit."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.service.requests.slots import IsGone, Slots
from app.service.requests.turns import aside
from trainyard.errors import (
    ChildDied,
    ExportMismatch,
    HostOutOfMemory,
    ImportTimeout,
    InvalidRequest,
    NoPredictWorker,
    PredictionTimeout,
    StorageUnavailable,
    TooManyPredictions,
    TrainyardError,
)
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.resources.prediction_store import PREDICT_QUEUE, Job, PredictionStore

MAX_PREDICTIONS = 8
"""Predictions that this server waits for at a time: each holds a thread."""
MAX_WAITING = 64
"""Predictions of all servers that no worker has taken."""
_KINDS = {
    kind.code: kind
    for kind in (
        ChildDied,
        ExportMismatch,
        HostOutOfMemory,
        ImportTimeout,
        PredictionTimeout,
        StorageUnavailable,
    )
}
"""What a worker may run into that is not the request's fault."""


class WorkerAnswers:
    """Asks workers that predict, on behalf of clients that wait."""

    def __init__(
        self,
        predictions: PredictionStore,
        workers: WorkerStore,
        seconds: float,
        late: type[TrainyardError] = PredictionTimeout,
        nobody: type[TrainyardError] = NoPredictWorker,
    ) -> None:
        """`seconds` is what an answer may take, waiting included; one that takes longer is `late`, and
        `nobody` is raised where no worker is there."""
        self._predictions = predictions
        self._workers = workers
        self._seconds = seconds
        self._late = late
        self._nobody = nobody
        self._slots = Slots(MAX_PREDICTIONS, TooManyPredictions)

    @contextmanager
    def place(self, is_gone: IsGone) -> Iterator[None]:
        """One of the places for clients that wait; raises the error of nobody, and TooManyPredictions."""
        if not any(PREDICT_QUEUE in worker.queues for worker in self._workers.all()):
            raise self._nobody()
        if self._predictions.waiting() >= MAX_WAITING:
            raise TooManyPredictions()
        slot = self._slots.take(is_gone)
        try:
            yield
        finally:
            self._slots.give_back(slot)

    def of(self, job: Job, is_gone: IsGone) -> dict[str, Any]:
        """What a worker answers. Raises PredictionTimeout, StoreUnavailable, and what it ran into."""
        until = time.monotonic() + self._seconds
        self._predictions.ask(job, self._seconds)
        answer = None
        with aside():
            while answer is None and time.monotonic() < until and not is_gone():
                answer = self._predictions.answered(job.id)
        if answer is None:
            begun = "No worker has taken it" if self._predictions.give_up(job.id) else "It was not done"
            raise self._late(f"{begun} within {self._seconds:g} s.")
        if "error" in answer:
            raise _error(answer["error"])
        result: dict[str, Any] = answer["result"]
        return result


def _error(told: Mapping[str, Any]) -> TrainyardError:
    """What a worker ran into."""
    kind = InvalidRequest if told["cause"] == "user" else _KINDS.get(told["code"], TrainyardError)
    return kind(told["message"], remedy=told["remedy"], errors=told["errors"] or None)
