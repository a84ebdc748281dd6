"""How many requests one caller may send: a bucket for each, which fills again as time goes by."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000
"""Callers that are remembered; whoever has not come for the longest time is forgotten first."""


class RateLimit:
    """Up to `per_minute` requests of a caller at once, and as many a minute; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What is left for a caller, and when that was so."""

    def wait_s(self, caller: str) -> int:
        """Take one request of the caller's; 0, or the whole seconds until there is one again."""
        if not self._capacity:
            return 0
        with self._lock:
            now = self._clock()
            left, then = self._buckets.pop(caller, (self._capacity, now))
            left = min(self._capacity, left + (now - then) * self._capacity / 60)
            wait = 0 if left >= 1 else math.ceil((1 - left) * 60 / self._capacity)
            self._buckets[caller] = (left if wait else left - 1, now)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
            return wait
