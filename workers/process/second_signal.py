"""A second SIGTERM ends a worker that drains, whatever it waits for."""

import os
import signal
import time

SAME_S = 1.0
"""Signals so close to the first are the same wish, sent to a process and to its group."""


def end_at_once_on_another_sigterm() -> None:
    """From the main thread, while the first one is handled: another one ends this process there and then.

    What it has started ends with it. The run that it holds goes on elsewhere once its lease has lapsed, from
    what was committed; that counts as a crash.
    """
    first_at = time.monotonic()

    def end(*_: object) -> None:
        if time.monotonic() - first_at >= SAME_S:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
