"""How many batches loader processes may keep ready: they hand them over in /dev/shm, which is often small.

A process that writes to it when it is full is killed by the system (bus error), and the run with it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where torch puts them
MOST_READY = 4
"""Batches that each loader process keeps ready where there is room."""
_SHARE = 4
"""A loader takes this part of what is free: the run's other loader takes as much, and neighbours some."""
_LEAST_READY = 2
"""Batches that each process keeps ready, if they fit, however many bytes that takes."""
_READY_BYTES = 2 * 2**30
"""Of all batches kept ready, where that leaves each process more than the least."""
_HANDED_OVER = 2
"""Batches that have left their process and are not on the device yet."""


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Loader processes, and batches that each keeps ready; `notice` says why they are fewer than asked."""

    processes: int
    ready: int
    notice: str | None = None


def loading_that_fits(asked: int, batch_bytes: int, free_bytes: int | None) -> Loading:
    """As many processes as asked for, at most, with batches of that size; `free_bytes` None is no bound."""
    if asked == 0:
        return Loading(processes=0, ready=MOST_READY)
    if free_bytes is None:
        return Loading(processes=asked, ready=_ready(asked, asked * MOST_READY, batch_bytes))
    batches = free_bytes // _SHARE // max(1, batch_bytes) - _HANDED_OVER
    processes = max(0, min(asked, batches))
    ready = _ready(processes, batches, batch_bytes) if processes else MOST_READY
    if processes == asked:
        return Loading(processes=processes, ready=ready)
    room = f"{free_bytes / 2**20:.0f} MiB free, batches take {batch_bytes / 2**20:.1f} MiB"
    return Loading(
        processes=processes,
        ready=ready,
        notice=f"{asked} loader processes were asked for and {processes or 'none'} used: more would not fit "
        f"the shared memory in /dev/shm ({room}). Give the worker's container more (shm_size).",
    )


def _ready(processes: int, batches: int, batch_bytes: int) -> int:
    """Batches that each process keeps ready, of so many that fit."""
    worth = max(_LEAST_READY, _READY_BYTES // (processes * max(1, batch_bytes)))
    return min(MOST_READY, worth, batches // processes)


def free_shared_memory(place: Path = SHARED_MEMORY) -> int | None:
    """Bytes that may still be written there; None where there is no such place."""
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
