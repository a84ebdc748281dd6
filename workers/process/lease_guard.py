"""Halts a child before its lease can lapse, also while its supervisor waits for an answer in vain."""

import logging
import threading
import time
from types import TracebackType

from trainyard.lease import Ownership
from workers.process.child import Child

logger = logging.getLogger(__name__)

LOOK_S = 0.1
"""How often a lapsed ownership is looked at; well below the FENCE_SLACK_S after which a child ends itself."""


class LeaseGuard:
    """Watches from a thread of its own while it is entered, which must end before the child is reaped.

    Halting and going on are decided under one lock, so that a child that may go on is never left halted.
    """

    def __init__(self, child: Child, ownership: Ownership, record_id: str) -> None:
        self.is_halted = False
        self._child = child
        self._ownership = ownership
        self._record_id = record_id
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"lease of {record_id}", daemon=True)

    def __enter__(self) -> "LeaseGuard":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def renewed(self) -> None:
        """The ownership was renewed: the child goes on, unless the answer came so late that it lapsed."""
        with self._lock:
            if self._ownership.has_lapsed:
                return
            self._child.allow(self._ownership.until)
            if self.is_halted:
                logger.warning("%s goes on.", self._record_id)
                self._child.go_on()
                self.is_halted = False

    def _watch(self) -> None:
        while not self._over.wait(max(self._ownership.until - time.monotonic(), LOOK_S)):
            self._halt_if_lapsed()

    def _halt_if_lapsed(self) -> None:
        with self._lock:
            if self._ownership.has_lapsed and not self.is_halted:
                logger.warning("%s is halted: its lease may lapse.", self._record_id)
                self._child.pause()
                self.is_halted = True
