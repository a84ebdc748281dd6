"""Turns that also remember which item each process took last, so that a crash can be told with its file."""

import multiprocessing
import os

from workers.ingest.reading.write_order import Turns


class NotedTurns(Turns):
    """See `Turns`."""

    def __init__(self, count: int, largest: int, processes: int) -> None:
        super().__init__(count, largest, processes)
        self._notes = multiprocessing.get_context("fork").RawArray("q", 2 * processes)  # pid and item in turn

    def take(self) -> int | None:
        """See `Turns.take`."""
        index = super().take()
        if index is not None:
            with self._locked():
                self._notes[self._slot(os.getpid(), 0) + 1] = index
        return index

    def last(self, pid: int) -> int | None:
        """The index of the item that a process took last; None where it took none."""
        return self._notes[self._slot(pid) + 1] if pid in self._notes[::2] else None

    def _slot(self, *pids: int) -> int:
        """The place of the first that is there, which then belongs to the first of them."""
        pids_noted = list(self._notes[::2])
        slot = 2 * next(pids_noted.index(pid) for pid in pids if pid in pids_noted)
        self._notes[slot] = pids[0]
        return slot
