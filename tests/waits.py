"""How long tests wait. Every limit is in seconds of an idle machine, and grows with how slow this one is.

The yardstick is a fixed piece of work: a Python process that imports two packages and sums squares. Its time
against that of the reference machine is how slow this machine is. Whoever waits long measures every `FRESH_S`
seconds, so that a machine that gets busier in the middle of a test is noticed.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

WORK = "import numpy, httpx; sum(number * number for number in range(1_000_000))"
REFERENCE_S = 0.4
"""What the work takes on the reference machine: a core of its own of a server of 2023."""
FRESH_S = 20.0
LOOK_S = 0.05

Value = TypeVar("Value")
_measured: tuple[float, float] | None = None
"""When (s, monotonic) this machine was measured, and how slow it was."""


def slowness() -> float:
    """How many times slower than the idle reference machine this one is now; at least 1."""
    global _measured
    if _measured is None or time.monotonic() - _measured[0] > FRESH_S:
        begin = time.monotonic()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-I", "-c", WORK], env=environment, check=True)
        end = time.monotonic()
        _measured = (end, max(1.0, (end - begin) / REFERENCE_S))
    return _measured[1]


def scaled(seconds: float) -> float:
    """As many seconds of an idle machine as this one needs now: for whatever takes a number."""
    return seconds * slowness()


class Limit:
    """So many seconds of an idle machine from now on, counted by how slow this machine is meanwhile."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._counted_at = time.monotonic()

    def left(self) -> float:
        """Seconds after which it may have passed; 0 or less once it has. A wait that is soon over measures
        nothing."""
        waited = time.monotonic() - self._counted_at
        if waited >= min(self._left, FRESH_S):
            self._counted_at += waited
            self._left -= waited / slowness()
            waited = 0.0
        return self._left - waited

    @property
    def has_passed(self) -> bool:
        return self.left() <= 0


def wait_for(
    read: Callable[[], Value],
    until: Callable[[Value], Any] = bool,
    seconds: float = 60,
) -> Value:
    """Read until it is as wished; the test fails with the last reading once so many seconds of an idle
    machine have passed."""
    limit = Limit(seconds)
    while not until(value := read()):
        assert not limit.has_passed, f"still {value}"
        time.sleep(LOOK_S)
    return value


def once(holds: Callable[[], Any], act: Callable[[], Any]) -> threading.Thread:
    """Act beside the test as soon as it holds; join the thread to know that it is done."""

    def wait_and_act() -> None:
        wait_for(holds)
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread
