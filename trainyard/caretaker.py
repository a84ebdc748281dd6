"""What every worker and API process does for the whole yard, so that none of them is special."""

import logging
import threading
import time
from collections.abc import Callable

from trainyard.dataset_registry import DatasetRegistry
from trainyard.errors import StorageUnavailable, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.projects import ProjectLimits
from trainyard.queue import TASKS, Kicker
from trainyard.reindex import Reindex
from trainyard.run_registry import RunRegistry

logger = logging.getLogger(__name__)

TOP_UP_S = 2.0
"""How often to look for work that no message tells of."""
SWEEP_S = 3600.0
"""How often to look for uploads that were cut off."""


class Caretaker:
    """Brings Redis and storage into line, takes back work whose lease has lapsed, kicks for work that waits,
    and clears lost uploads away.

    Each look is idempotent.
    """

    def __init__(
        self,
        runs: RunRegistry,
        datasets: DatasetRegistry,
        limits: ProjectLimits,
        reindex: Reindex,
        kicker: Kicker,
        rules: LeaseRules,
        beat: Callable[[], None] | None = None,
    ) -> None:
        """`beat` gives a worker's sign of life."""
        self._runs = runs
        self._datasets = datasets
        self._limits = limits
        self._reindex = reindex
        self._kicker = kicker
        self._beat = beat
        self._reap_every_s = rules.reap_every_s

    def start(self, stopped: threading.Event) -> None:
        """Compare Redis with storage, then look again and again, from a thread, until `stopped` is set."""
        self._guarded(self.compare)
        threading.Thread(target=self._run, args=(stopped,), daemon=True).start()

    def compare(self) -> None:
        """Rebuild a Redis that was emptied or has started anew; raises as `Reindex.ensure`."""
        report = self._reindex.ensure()
        for problem in report.problems if report else []:
            logger.warning("%s", problem)
        if report and report.counts.total() > report.counts["same"]:
            logger.warning("Redis and storage differed; records by what became of them: %s", report.counts)

    def reap(self) -> None:
        """Take back what lapsed and write mirrors that are behind; raises as `Registry`."""
        for run in self._runs.reap():
            logger.warning("%s was lost by its worker and is %s now.", run.id, run.status)
        for dataset in self._datasets.reap():
            logger.warning("%s was lost by its worker and is %s now.", dataset.id, dataset.status)
        for record_id in [*self._datasets.repair_mirrors(), *self._runs.repair_mirrors()]:
            logger.info("%s has its record in storage again.", record_id)

    def _run(self, stopped: threading.Event) -> None:
        reaped_at = 0.0
        swept_at = time.monotonic()  # an hour on: at a start there is more urgent work
        while not stopped.wait(min(TOP_UP_S, self._reap_every_s)):
            if self._beat:
                self._guarded(self._beat)
            self._guarded(self.compare)
            if time.monotonic() - reaped_at >= self._reap_every_s:
                reaped_at = time.monotonic()
                self._guarded(self.reap)
                self._guarded(self._limits.restore)
            if time.monotonic() - swept_at >= SWEEP_S:
                swept_at = time.monotonic()
                self._guarded(self._datasets.clear_lost_uploads)
            self._guarded(self._top_up)

    def _top_up(self) -> None:
        for queue in TASKS:
            self._kicker.top_up(queue)

    def _guarded(self, look: Callable[[], object]) -> None:
        try:
            look()
        except (StoreUnavailable, StorageUnavailable) as error:
            logger.warning("The caretaker could not look: %s", error.message)
