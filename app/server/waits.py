"""How many threads may wait for clients, and how many may work: however many are slow, or ask at once, others
are answered.

Threads that compute take turns at the interpreter, so that each waits for all others whenever it has waited
for anything: of hundreds at work, every one is slow, and so is the loop that takes clients in.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from app.service.requests.turns import aside, with_turn

RECEIVING = 96
"""Threads that may wait for bodies; uploads, which are bounded for themselves, are among them."""
SENDING = 112
"""Threads that may wait until clients take what is sent to them."""
WORKING = 16
"""Threads that may be at work on requests; those that wait for a client, or a worker's answer, are not."""


class Waits:
    """Places for threads that wait or work, for all clients of a server."""

    def __init__(self, receiving: int = RECEIVING, sending: int = SENDING, working: int = WORKING) -> None:
        self._receiving = threading.BoundedSemaphore(receiving)
        self._sending = threading.BoundedSemaphore(sending)
        self._working = threading.BoundedSemaphore(working)

    def to_receive(self, refuse: Callable[[], Exception]) -> AbstractContextManager[None]:
        """A place to wait for a client's bytes; raises what `refuse` makes where none is left."""
        return _place(self._receiving, refuse)

    def to_send(self, refuse: Callable[[], Exception]) -> AbstractContextManager[None]:
        """A place to wait for a client that takes bytes; raises what `refuse` makes where none is left."""
        return _place(self._sending, refuse)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Wait for one of the places to work; it is another's while this thread waits for somebody."""
        with self._working, with_turn(self._apart):
            yield

    @contextmanager
    def _apart(self) -> Iterator[None]:
        self._working.release()
        try:
            yield
        finally:
            self._working.acquire()


@contextmanager
def _place(places: threading.BoundedSemaphore, refuse: Callable[[], Exception]) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise refuse()
    try:
        with aside():
            yield
    finally:
        places.release()
