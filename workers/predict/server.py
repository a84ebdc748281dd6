"""What a worker makes of images for clients that wait, and weights that are wanted alone.

The process that predicts stays for a while, with its models loaded.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainyard.library.prediction import WeightsJob
from trainyard.store.resources.prediction_store import Job, PredictionStore
from workers.process.child import PREDICT_CHILD, WEIGHTS_CHILD, Child
from workers.process.job_server import EXIT_GRACE_S, JobServer, answer_of_its_own, first_message, why_silent

IDLE_S = 300.0
"""How long the process and its models are kept after an answer."""


class PredictionServer(JobServer):
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
        super().__init__(predictions, worker_id, draining, "predicting")
        self._storage = storage
        self._threads = threads
        self._child: Child | None = None

    def answer(self, job: Job, until: float) -> dict[str, Any]:
        if isinstance(job, WeightsJob):  # that needs torch, and is rare: its process is not kept
            return answer_of_its_own(WEIGHTS_CHILD, {**asdict(job), "storage": str(self._storage)}, until)
        return self._predicted(job, until)

    def rest(self) -> None:
        self._clear_ended_child()

    def end(self) -> None:
        self._end_child()

    def _predicted(self, job: Job, until: float) -> dict[str, Any]:
        self._clear_ended_child()
        if self._child is None:
            first = {"threads": self._threads(), "storage": str(self._storage)}
            self._child = Child(PREDICT_CHILD, first, until)
        child = self._child
        child.allow(until)
        child.send(asdict(job))
        answer = first_message(child, until)
        if answer is not None:
            child.allow(time.monotonic() + IDLE_S)
            return answer
        error = why_silent(child)
        self._end_child()
        return error

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
