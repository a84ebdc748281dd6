"""A worker's place for predictions, beside what else it does: each is answered at once or not at all.

The place is a thread that waits for jobs in Redis, and a process that computes them. The process stays for a
while, with its models loaded; one that outlives a job's time limit is killed.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainyard.errors import ChildDied, PredictionTimeout, StoreUnavailable
from trainyard.log_context import logging_about
from trainyard.runs.prediction import PredictionJob, WeightsJob
from trainyard.store.resources.prediction_store import LOOK_S, Job, PredictionStore
from workers.process.child import PREDICT_CHILD, WEIGHTS_CHILD, Child, await_server

logger = logging.getLogger(__name__)

IDLE_S = 300.0
"""How long the process and its models are kept after an answer."""
EXIT_GRACE_S = 1.0


class PredictionServer:
    """Takes predictions, one at a time, until the worker drains."""

    def __init__(
        self,
        predictions: PredictionStore,
        storage: Path,
        worker_id: str,
        draining: threading.Event,
        threads: Callable[[], int],
    ) -> None:
        """`threads` tells how many a process of this worker may have."""
        self._predictions = predictions
        self._storage = storage
        self._worker_id = worker_id
        self._draining = draining
        self._threads = threads
        self._child: Child | None = None
        self._is_ready = False
        self._thread = threading.Thread(target=self._work, name="predicting", daemon=True)

    def start(self) -> None:
        """Take predictions from now on."""
        self._thread.start()

    def join(self) -> None:
        """Wait until what it computes is answered; only once the worker drains."""
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        try:
            while not self._draining.is_set():
                self._serve_next_guarded()
        finally:
            self._end_child()

    def _serve_next_guarded(self) -> None:
        """As `_serve_next`: nothing that it runs into ends the thread."""
        try:
            self._serve_next()
        except StoreUnavailable:  # housekeeping tells of it
            self._draining.wait(LOOK_S)
        except ChildDied as error:
            logger.error("Nothing can be predicted at present: %s", error.message)
            self._draining.wait(LOOK_S)
        except Exception:
            logger.exception("Predicting: failed, and goes on")
            self._draining.wait(LOOK_S)

    def _serve_next(self) -> None:
        if not self._is_ready:
            await_server()
            self._is_ready = True
        taken = self._predictions.take()
        if taken is None:
            self._clear_ended_child()
            return
        job, seconds = taken
        with logging_about(prediction=job.id, worker=self._worker_id):
            answer = self._answer(job, time.monotonic() + seconds)
            self._predictions.answer(job.id, answer)

    def _answer(self, job: Job, until: float) -> dict[str, Any]:
        """What a process says, or what became of it."""
        return self._weights(job, until) if isinstance(job, WeightsJob) else self._predicted(job, until)

    def _predicted(self, job: PredictionJob, until: float) -> dict[str, Any]:
        self._clear_ended_child()
        if self._child is None:
            first = {"threads": self._threads(), "storage": str(self._storage)}
            self._child = Child(PREDICT_CHILD, first, until)
        child = self._child
        child.allow(until)
        child.send(asdict(job))
        answer = _first_message(child, until)
        if answer is not None:
            child.allow(time.monotonic() + IDLE_S)
            return answer
        error = _why_silent(child)
        self._end_child()
        return error

    def _weights(self, job: WeightsJob, until: float) -> dict[str, Any]:
        """By a process of its own, which needs torch: that one is not kept."""
        child = Child(WEIGHTS_CHILD, {**asdict(job), "storage": str(self._storage)}, until)
        try:
            return _first_message(child, until) or _why_silent(child)
        finally:
            child.kill()
            child.wait(EXIT_GRACE_S)

    def _clear_ended_child(self) -> None:
        """Forget a process that ended itself, idle."""
        if self._child is not None:
            list(self._child.messages(0))
            if not self._child.is_open:
                self._end_child()

    def _end_child(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            if child.is_open:
                child.kill()
            child.wait(EXIT_GRACE_S)


def _first_message(child: Child, until: float) -> dict[str, Any] | None:
    """What a process says next; None where it ends, or says nothing until then."""
    while child.is_open and (left := until - time.monotonic()) > 0:
        for message in child.messages(left):
            return message
    return None


def _why_silent(child: Child) -> dict[str, Any]:
    if child.is_open:
        logger.warning("It was not done in time, and its process is ended.")
        return {"error": PredictionTimeout().to_dict()}
    logger.error("The process ended without an answer.")
    return {"error": ChildDied("The process that did it ended without an answer.").to_dict()}
