"""What the devices do that a run trains on, over each of its epochs."""

import time
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from trainyard.store.processes.worker_record import DeviceFigures

EVERY_S = 5.0
"""How often devices are asked: a driver takes some milliseconds to answer."""
_GB = 1e9


class DeviceWatch:
    """Adds up what devices tell, from one epoch's end to the next; `ask` is told by them now.

    `places` are those of them that the run uses, the first `count` where none is named.
    """

    def __init__(
        self, ask: Callable[[], Sequence[DeviceFigures]], places: Sequence[int] = (), count: int = 1
    ) -> None:
        self._ask = ask
        self._places = tuple(places) or tuple(range(count))
        self._asked_at = 0.0
        self._busy: list[float] = []
        self._memory: list[int] = []

    def look(self) -> None:
        """Ask them, unless that was done a moment ago."""
        if time.monotonic() - self._asked_at >= EVERY_S:
            self._note()

    def of_epoch(self) -> dict[str, Any]:
        """For the row of the epoch that has ended; begins the next one.

        `device_utilization`, 0 to 1, is the mean over time and devices, `device_memory_gb`, in 10^9 bytes,
        the most that one of them had in use; None is what they do not tell.
        """
        if not (self._busy or self._memory):
            self._note()  # it was over before its first turn
        row = {
            "device_utilization": round(fmean(self._busy), 4) if self._busy else None,
            "device_memory_gb": round(max(self._memory) / _GB, 3) if self._memory else None,
        }
        self._busy, self._memory = [], []
        return row

    def _note(self) -> None:
        self._asked_at = time.monotonic()
        found = self._ask()
        for one in (found[place] for place in self._places if place < len(found)):
            if one.utilization is not None:
                self._busy.append(one.utilization)
            if one.memory_used_bytes is not None:
                self._memory.append(one.memory_used_bytes)
