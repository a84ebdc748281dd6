"""How slow the machine was while a cluster was broken: what is wanted of recovery is wanted of an idle
one."""

import threading
from statistics import median

from tests.waits import FRESH_S, slowness


class Yardstick(threading.Thread):
    """Measures every `FRESH_S` seconds until it is told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._found: list[float] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        """The thread's work."""
        while True:
            self._found.append(slowness())
            if self._stopped.wait(FRESH_S):
                return

    def stop(self) -> float:
        """How many times slower than the idle reference machine this one was, in the median; at least 1."""
        self._stopped.set()
        self.join()
        return median(self._found)
