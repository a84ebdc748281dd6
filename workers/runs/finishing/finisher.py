"""A worker's second place, beside the one where it trains: here it writes what trained runs owe.

Every training worker has it, so that whoever can train a run can also finish it, without one more process to
start, to watch and to hold the libraries in memory; `python -m workers finish` has this place alone. What is
written takes the processor alone, and the device trains the next run meanwhile. The place is a thread and no
consumer of messages: those would be taken by whichever place is free, and be lost for the other one.
"""

import logging
import threading
from collections.abc import Callable

from trainyard.errors import ChildDied, StoreUnavailable
from trainyard.log_context import logging_about
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.attempt_tasks import attempt_id
from trainyard.storage.files import Storage
from trainyard.store.runs.run_store import FINISH_QUEUE
from workers.attempt_spans import attempt_at, claim_was_made, now_ns, tell_outcome
from workers.heartbeat import Presence
from workers.process.child import await_server
from workers.process.claims import Claims
from workers.runs.finishing.finishing_supervisor import FinishingSupervisor

logger = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often to look for runs that another worker has trained; its own ones it is told of."""


class Finisher:
    """Takes runs that owe their results, one at a time."""

    def __init__(
        self,
        runs: RunRegistry,
        storage: Storage,
        presence: Presence,
        events: AttemptEvents,
        draining: threading.Event,
        threads: Callable[[], int],
        max_hours: float | None,
        is_revoked: Callable[[str], bool],
    ) -> None:
        """`threads` tells how many a process of this worker may have, and `is_revoked` whether an operator
        wants the attempt of that id to end."""
        self._runs = runs
        self._storage = storage
        self._presence = presence
        self._events = events
        self._draining = draining
        self._threads = threads
        self._max_hours = max_hours
        self._is_revoked = is_revoked
        self._woken = threading.Event()
        self._is_ready = False
        self._thread = threading.Thread(target=self._work, name="finishing", daemon=True)

    def start(self) -> None:
        """Take runs until the worker drains."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once: a run may wait, or the worker drains."""
        self._woken.set()

    def join(self) -> None:
        """Wait until what it works on is given back; only once the worker drains."""
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._draining.is_set():
            if not self._finish_next_guarded():
                self._woken.wait(LOOK_S)
                self._woken.clear()

    def _finish_next_guarded(self) -> bool:
        """As `_finish_next`: nothing that it runs into ends the thread."""
        try:
            return self._finish_next()
        except StoreUnavailable:  # housekeeping tells of it
            return False
        except ChildDied as error:
            logger.error("No run can be finished at present: %s", error.message)
        except Exception:
            logger.exception("Finishing: failed, and is tried again")
        return False

    def _finish_next(self) -> bool:
        """Finish the run whose turn it is; whether there was one, which a drained worker does not ask."""
        if self._presence.is_drained:
            return False
        if not self._is_ready:
            await_server()
            self._is_ready = True
        asked_ns = now_ns()
        claims = Claims(self._runs, self._presence.id, self._draining)
        claimed = claims.next(FINISH_QUEUE, offered=self._presence.offered)
        if claimed is None:
            return False
        run, ownership = claimed
        claim_was_made(run, asked_ns, FINISH_QUEUE)
        about = {"run": run.id, "attempt": run.fence, "worker": self._presence.id}
        with (
            self._presence.finishing(run.id),
            logging_about(**about),
            attempt_at(run, about, "finish") as told,
        ):
            supervisor = FinishingSupervisor(
                self._runs,
                self._storage,
                self._threads(),
                self._draining,
                run,
                ownership,
                self._max_hours,
                lambda: self._is_revoked(attempt_id(run)),
            )
            self._events.begin(run)
            try:
                supervisor.supervise()
            finally:
                self._events.end(run, supervisor.ended)
                tell_outcome(told, supervisor.ended)
        return True
