"""What every worker and API process does for the whole yard, so that none of them is special."""

import logging
import threading
import time
from collections.abc import Callable

from trainyard.errors import StorageUnavailable, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.projects import ProjectLimits
from trainyard.queue import TASKS, Kicker
from trainyard.registry import DatasetRegistry, RunRegistry

logger = logging.getLogger(__name__)

TOP_UP_S = 2.0
"""How often to look for work that no message tells of."""
SWEEP_S = 3600.0
"""How often to look for uploads that were cut off."""


class Caretaker:
    """Takes back work whose lease has lapsed, kicks for work that waits, writes files that are behind, and
    mends what Redis forgot of limits; clears lost uploads away.

    Each look is idempotent.
    """

    def __init__(
        self,
        runs: RunRegistry,
        datasets: DatasetRegistry,
        limits: ProjectLimits,
        kicker: Kicker,
        rules: LeaseRules,
        beat: Callable[[], None] | None = None,
    ) -> None:
        """`beat` gives a worker's sign of life."""
        self._runs = runs
        self._datasets = datasets
        self._limits = limits
        self._kicker = kicker
        self._beat = beat
        self._reap_every_s = rules.reap_every_s

    def start(self, stopped: threading.Event) -> None:
        """Look again and again, from a thread of its own, until `stopped` is set."""
        threading.Thread(target=self._run, args=(stopped,), daemon=True).start()

    def reap(self) -> None:
        """Take back what lapsed, write files that are behind; raises StoreUnavailable, StorageUnavailable."""
        for run in self._runs.reap():
            logger.warning("%s was lost by its worker and is %s now.", run.id, run.status)
        for dataset in self._datasets.reap():
            logger.warning("%s was lost by its worker and is %s now.", dataset.id, dataset.status)
        for registry in (self._runs, self._datasets):
            registry.repair_mirrors()

    def _run(self, stopped: threading.Event) -> None:
        reaped_at = 0.0
        swept_at = time.monotonic()  # an hour on: at a start there is more urgent work
        while not stopped.wait(min(TOP_UP_S, self._reap_every_s)):
            try:
                if self._beat:
                    self._beat()
                if time.monotonic() - reaped_at >= self._reap_every_s:
                    reaped_at = time.monotonic()
                    self.reap()
                    self._limits.restore()
                if time.monotonic() - swept_at >= SWEEP_S:
                    swept_at = time.monotonic()
                    self._datasets.clear_lost_uploads()
                for queue in TASKS:
                    self._kicker.top_up(queue)
            except (StoreUnavailable, StorageUnavailable) as error:
                logger.warning("The caretaker could not look: %s", error.message)
