"""A bounded number of something that holds a thread, such as streams and uploads."""

import threading
from collections.abc import Callable
from typing import TypeAlias

from trainyard.errors import TrainyardError

IsGone: TypeAlias = Callable[[], bool]
"""Whether a client has left, as far as its connection tells; asked from any thread."""


def never() -> bool:
    """Of a client that nothing is known of."""
    return False


class Slots:
    """Taken and given back; that of a client who has left is free as soon as another wants it."""

    def __init__(self, count: int, error: type[TrainyardError]) -> None:
        self._count = count
        self._error = error
        self._lock = threading.Lock()
        self._taken: dict[object, IsGone] = {}

    @property
    def taken(self) -> int:
        """How many are taken."""
        return len(self._taken)

    def take(self, is_gone: IsGone = never) -> object:
        """A slot, to be given back; raises the error where none is free."""
        slot = object()
        with self._lock:
            if len(self._taken) >= self._count:
                self._taken = {kept: gone for kept, gone in self._taken.items() if not gone()}
            if len(self._taken) >= self._count:
                raise self._error()
            self._taken[slot] = is_gone
        return slot

    def give_back(self, slot: object) -> None:
        """Free a slot; one that was given back, or taken from a client who left, is no mistake."""
        with self._lock:
            self._taken.pop(slot, None)
