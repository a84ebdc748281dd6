"""What has been made of objects, for as long as these are asked for: lists show the same ones again."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Kind = TypeVar("Kind")
Made = TypeVar("Made")


class MadeOf(Generic[Kind, Made]):
    """Calls `make` once for each of the newest `most` objects, told by identity. They must not change."""

    def __init__(self, make: Callable[[Kind], Made], most: int) -> None:
        self._make = make
        self._most = most
        self._made: OrderedDict[int, tuple[Kind, Made]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, one: Kind) -> Made:
        """What `make` makes of it."""
        with self._lock:
            found = self._made.get(id(one))
            if found is not None:  # held here, so that no other object has had its id since
                self._made.move_to_end(id(one))
                return found[1]
        made = self._make(one)
        with self._lock:
            self._made[id(one)] = (one, made)
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        return made
