"""Processes that must not outlive the one that started them, however that ends. Linux only."""

import ctypes
import os
import signal

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def die_with_parent(parent: int | None = None) -> None:
    """Be killed by the system when the thread that started this process ends, even while halted.

    `parent` is the process that should be it: where it has ended before this call, this process ends too.
    """
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
