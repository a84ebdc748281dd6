"""What a worker does beside its work: writes whose answer nobody waits for, in order, from one thread.

A device stands still for as long as a run's end and the next one's beginning take. What Redis has decided is
decided; its copy in storage, and signs of life, may follow a moment later.
"""

import logging
import queue
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

Act = Callable[[], object]
MOST = 64
"""Acts that may wait: where storage hangs, so does the work beyond them."""


def at_once(act: Act) -> None:
    """For whoever has nothing to do meanwhile."""
    act()


class Beside:
    """Calls it, and `do` returns before the act is done. Nothing that an act runs into ends the thread."""

    def __init__(self) -> None:
        self._acts: queue.Queue[Act | None] = queue.Queue(MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def do(self, act: Act) -> None:
        """Do it soon, after those before."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="beside", daemon=True)
                self._thread.start()
        self._acts.put(act)

    def finish(self, seconds: float) -> None:
        """Wait so long at most until all is done; once nothing more will come."""
        if self._thread:
            self._acts.put(None)
            self._thread.join(seconds)

    def _work(self) -> None:
        while act := self._acts.get():
            try:
                act()
            except Exception:
                logger.exception("What is done beside the work has failed")
