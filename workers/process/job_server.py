"""A worker's place for what clients wait for, beside what else it does: answered at once or not at all.

The place is a thread that waits for jobs in Redis; a process does them, and one that outlives the time limit
of a job is killed.
"""

import logging
import threading
import time
from typing import Any

from trainyard.errors import ChildDied, PredictionTimeout, StoreUnavailable, TrainyardError
from trainyard.log_context import logging_about
from trainyard.store.resources.prediction_store import LOOK_S, Job, PredictionStore
from workers.process.child import Child, Message, await_server

logger = logging.getLogger(__name__)

EXIT_GRACE_S = 1.0


class JobServer:
    """Takes jobs, one at a time, until the worker drains."""

    def __init__(
        self, jobs: PredictionStore, worker_id: str, draining: threading.Event, thread_name: str
    ) -> None:
        self._jobs = jobs
        self._worker_id = worker_id
        self._draining = draining
        self._is_ready = False
        self._thread = threading.Thread(target=self._work, name=thread_name, daemon=True)

    def start(self) -> None:
        """Take jobs from now on."""
        self._thread.start()

    def join(self) -> None:
        """Wait until what it does is answered; only once the worker drains."""
        if self._thread.is_alive():
            self._thread.join()

    def answer(self, job: Job, until: float) -> dict[str, Any]:
        """What came of a job that is wanted until then, by the monotonic clock."""
        raise NotImplementedError

    def rest(self) -> None:
        """Nothing has come for a while."""

    def end(self) -> None:
        """Nothing is taken any more."""

    def _work(self) -> None:
        try:
            while not self._draining.is_set():
                self._serve_next_guarded()
        finally:
            self.end()

    def _serve_next_guarded(self) -> None:
        """As `_serve_next`: nothing that it runs into ends the thread."""
        try:
            self._serve_next()
        except StoreUnavailable:  # housekeeping tells of it
            self._draining.wait(LOOK_S)
        except ChildDied as error:
            logger.error("Nothing can be done for clients at present: %s", error.message)
            self._draining.wait(LOOK_S)
        except Exception:
            logger.exception("%s: failed, and goes on", self._thread.name.capitalize())
            self._draining.wait(LOOK_S)

    def _serve_next(self) -> None:
        if not self._is_ready:
            await_server()
            self._is_ready = True
        taken = self._jobs.take()
        if taken is None:
            self.rest()
            return
        job, seconds = taken
        with logging_about(prediction=job.id, worker=self._worker_id):
            self._jobs.answer(job.id, self.answer(job, time.monotonic() + seconds))


def answer_of_its_own(
    module: str, job: Message, until: float, late: type[TrainyardError] = PredictionTimeout
) -> dict[str, Any]:
    """What a process says that is begun for this one job, or what became of it; `late` if it took longer."""
    child = Child(module, job, until)
    try:
        return first_message(child, until) or why_silent(child, late)
    finally:
        child.kill()
        child.wait(EXIT_GRACE_S)


def first_message(child: Child, until: float) -> Message | None:
    """What a process says next; None where it ends, or says nothing until then."""
    while child.is_open and (left := until - time.monotonic()) > 0:
        for message in child.messages(left):
            return message
    return None


def why_silent(child: Child, late: type[TrainyardError] = PredictionTimeout) -> dict[str, Any]:
    """The error of a process that has said nothing."""
    if child.is_open:
        logger.warning("It was not done in time, and its process is ended.")
        return {"error": late().to_dict()}
    logger.error("The process ended without an answer.")
    return {"error": ChildDied("The process that did it ended without an answer.").to_dict()}
