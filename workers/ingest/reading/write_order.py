"""Who reads which item of a set, and where its pixels go: the same however many processes read.

Items are taken in order, and each is given its place in the order of items. So a reader waits until those
before it know their sizes, which their headers tell.
"""

import multiprocessing
import threading
from collections.abc import Callable, MutableSequence
from contextlib import AbstractContextManager
from multiprocessing.context import ForkContext
from typing import Any, Protocol, cast

from workers.ingest.problems import Refused

TAKEN, PASSED, PIXELS = range(3)


class _Condition(Protocol):
    def __enter__(self) -> Any: ...
    def __exit__(self, *error: Any) -> Any: ...
    def notify_all(self) -> None: ...
    def wait_for(self, predicate: Callable[[], bool]) -> Any: ...


class SetTooLarge(Refused):
    """The set has more pixels than one may have."""

    def __init__(self, largest: int) -> None:
        super().__init__(
            "set_too_large",
            f"Decoded, the set has more than {largest} pixels.",
            "Send fewer or smaller images, or cap their size with max_side.",
        )


class Turns:
    """The state that readers share: items taken, items passed, and pixels given a place so far."""

    def __init__(self, count: int, largest: int, processes: int) -> None:
        """For `count` items, of at most `largest` pixels in all, read by so many processes."""
        self._count = count
        self._largest = largest
        if processes == 1:
            self._changed: _Condition = threading.Condition()
            self._state: MutableSequence[int] = [0, 0, 0]
        else:
            context: ForkContext = multiprocessing.get_context("fork")
            self._changed = context.Condition()
            self._state = cast("MutableSequence[int]", context.RawArray("q", 3))

    def take(self) -> int | None:
        """The index of the next item to read; None after the last."""
        with self._locked():
            index = self._state[TAKEN]
            if index >= self._count:
                return None
            self._state[TAKEN] = index + 1
            return index

    def wait(self, index: int) -> None:
        """Wait until all items before this one have passed."""
        with self._locked():
            self._changed.wait_for(lambda: self._state[PASSED] >= index)

    def place(self, index: int, pixels: int) -> int:
        """Wait for the item's turn and give its pixels a place: the number of pixels before them.

        Raises SetTooLarge.
        """
        self.wait(index)
        with self._locked():
            start = self._state[PIXELS]
            if start + pixels > self._largest:
                raise SetTooLarge(self._largest)
            self._state[PIXELS] = start + pixels
            return start

    def pass_on(self, index: int) -> None:
        """Let the next item have its turn, once it is this one's; a second call changes nothing."""
        self.wait(index)
        with self._locked():
            self._state[PASSED] = max(self._state[PASSED], index + 1)
            self._changed.notify_all()

    def _locked(self) -> AbstractContextManager[Any]:
        return cast("AbstractContextManager[Any]", self._changed)
