"""One thread that looks after the runs that are followed: their logs as they grow, and their end.

It alone waits for storage; streams without logs go on beside it.
"""

import logging
import threading
import time
from collections.abc import Callable

from app.http.streams.followers import FollowedLog, Follower
from app.service.requests.shutdown import Shutdown
from trainyard.errors import StorageUnavailable, StoreUnavailable
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import ACTIVE, RunStatus

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often a log that is followed is looked at; its supervisor carries it as often."""
PAUSE_S = 0.01
"""Between two looks at least: who has taken a piece of a log may want the next."""
GRACE_S = 2.0
"""Silence after which a run that has ended is at its end: its last event and lines come just after."""
Tell = Callable[[Follower, FollowedLog, object], None]
Leave = Callable[[Follower, bool], None]


class FollowedRuns:
    """Looks again and again, as long as somebody follows; those who write are told what is found."""

    def __init__(self, runs: RunRegistry, shutdown: Shutdown, tell: Tell, leave: Leave) -> None:
        """`tell` takes a piece of a log for a follower, `leave` whether one that goes has all."""
        self._runs = runs
        self._shutdown = shutdown
        self._tell = tell
        self._leave = leave
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        self._is_due = threading.Event()
        self._thread = threading.Thread(target=self._work, name="followed runs", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Once the server is about to stop: wait so long at most for the look under way."""
        self._is_due.set()
        self._thread.join(seconds)

    def add(self, follower: Follower) -> None:
        """Look after the run or the logs of a follower, where it has any."""
        if follower.run_id or follower.logs:
            with self._lock:
                self._followers.add(follower)
            self.look_soon()

    def discard(self, follower: Follower) -> None:
        """It has left."""
        with self._lock:
            self._followers.discard(follower)

    def look_soon(self) -> None:
        """Look at once: a run may have ended."""
        self._is_due.set()

    def _work(self) -> None:
        while not self._shutdown.is_near:
            self._is_due.wait(LOOK_S)
            self._is_due.clear()
            try:
                self._look()
            except StoreUnavailable as error:
                logger.warning("Whether runs have ended is not known: %s", error.message)
            time.sleep(PAUSE_S)

    def _look(self) -> None:
        with self._lock:
            followers = list(self._followers)
        wanted = sorted({one.run_id for one in followers if one.run_id})
        statuses = self._runs.statuses(wanted)  # before logs are read: last lines come before the end
        for follower in followers:
            self._look_after(follower, statuses)

    def _look_after(self, follower: Follower, statuses: dict[str, RunStatus | None]) -> None:
        try:
            has_news = self._tell_logs(follower)
        except StorageUnavailable as error:
            logger.warning("A stream ends: %s", error.message)
            self._leave(follower, False)
            return
        if has_news or not follower.run_id:
            return
        status = statuses[follower.run_id]
        if status is None:
            self._leave(follower, False)
        elif status not in ACTIVE and (
            follower.knows_end or time.monotonic() - follower.quiet_since > GRACE_S
        ):
            self._leave(follower, True)

    def _tell_logs(self, follower: Follower) -> bool:
        """Whether there was something; who has not taken what it was told yet is told no more."""
        if not follower.logs:
            return False
        if follower.is_told_log or follower.waiting:
            return True
        for log in follower.logs:
            if piece := log.read():
                follower.is_told_log = True
                follower.quiet_since = time.monotonic()
                self._tell(follower, log, piece)
        return follower.is_told_log
