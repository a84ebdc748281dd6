"""How many threads may wait for clients: however many are slow, some threads answer the others."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

RECEIVING = 96
"""Threads that may wait for bodies; uploads, which are bounded for themselves, are among them."""
SENDING = 112
"""Threads that may wait until clients take what is sent to them."""


class Waits:
    """Places for threads that wait, for all clients of a server."""

    def __init__(self, receiving: int = RECEIVING, sending: int = SENDING) -> None:
        self._receiving = threading.BoundedSemaphore(receiving)
        self._sending = threading.BoundedSemaphore(sending)

    def to_receive(self, refuse: Callable[[], Exception]) -> AbstractContextManager[None]:
        """A place to wait for a client's bytes; raises what `refuse` makes where none is left."""
        return _place(self._receiving, refuse)

    def to_send(self, refuse: Callable[[], Exception]) -> AbstractContextManager[None]:
        """A place to wait for a client that takes bytes; raises what `refuse` makes where none is left."""
        return _place(self._sending, refuse)


@contextmanager
def _place(places: threading.BoundedSemaphore, refuse: Callable[[], Exception]) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise refuse()
    try:
        yield
    finally:
        places.release()
