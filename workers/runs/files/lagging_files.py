"""Files of a run that may be behind what happens: its events, its log, TensorBoard's."""

import logging
import time
from collections.abc import Callable

from trainyard.errors import StorageUnavailable

logger = logging.getLogger(__name__)

LAST_TRIES_S = 5.0
"""How long they are tried again at an attempt's end, all together."""
PAUSE_S = 0.5


class LaggingFiles:
    """Brings them up to date. What storage does not take is tried again, and ends no attempt.

    Only while the run is held; each of the writes raises StorageUnavailable and goes on where it was.
    """

    def __init__(self, run_id: str, *writes: Callable[[], None]) -> None:
        self._run_id = run_id
        self._writes = writes
        self._is_behind = False
        self._last_tries_s = LAST_TRIES_S

    def catch_up(self) -> None:
        """Write what is new, once: the next tick tries again what fails."""
        failure = None
        for write in self._writes:
            try:
                write()
            except StorageUnavailable as error:
                failure = error
        if failure and not self._is_behind:
            logger.warning("Files of run %s stay behind for now: %s", self._run_id, failure.message)
        self._is_behind = failure is not None

    def settle(self, renew: Callable[[], None]) -> None:
        """Write the last of it, with some patience; `renew` keeps the run held meanwhile."""
        self.catch_up()
        while self._is_behind and self._last_tries_s > 0:
            time.sleep(PAUSE_S)
            self._last_tries_s -= PAUSE_S
            renew()
            self.catch_up()
