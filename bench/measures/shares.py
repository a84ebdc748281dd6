"""Where the time of a training loop goes, by watching the calls that its parts are made of."""

import functools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REST = "callbacks and loop"
"""What no watched call has taken."""


class Shares:
    """Seconds of each part. A part within another, as backward within the optimizer's step, is its own."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()
        self._stack = [REST]
        self._since = time.perf_counter()

    def watch(self, owner: Any, method: str, part: str) -> None:
        """Count the time of a method under a part, from now on."""
        inner = getattr(owner, method)

        @functools.wraps(inner)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(part):
                return inner(*args, **kwargs)

        setattr(owner, method, timed)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of a block under a part."""
        self._turn_to(name)
        try:
            yield
        finally:
            self._turn_back()

    def restart(self) -> None:
        """Begin to count."""
        self._seconds.clear()
        self._since = time.perf_counter()

    def reading(self, images: int) -> dict[str, Any]:
        """Images per second since `restart`, for so many, and each part's share of the time, 0 to 1."""
        self._count()
        total = sum(self._seconds.values())
        shares = {part: seconds / total for part, seconds in self._seconds.most_common()}
        return {"images_per_second": images / total, "shares": shares}

    def _turn_to(self, part: str) -> None:
        self._count()
        self._stack.append(part)

    def _turn_back(self) -> None:
        self._count()
        self._stack.pop()

    def _count(self) -> None:
        now = time.perf_counter()
        self._seconds[self._stack[-1]] += now - self._since
        self._since = now
