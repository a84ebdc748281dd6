"""What every worker and API process does for the whole deployment, so that none of them is special.

Three threads: signs of life, which wait for nothing else; the comparison of Redis with storage, which may
take minutes; and housekeeping, whose parts come round again and again. Whatever one part runs into is logged,
and the next one goes on.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trainyard.errors import StorageUnavailable, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.models import ModelRegistry
from trainyard.registry.records import Records
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.admission import Admission
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.attempt_tasks import Worked
from trainyard.scheduling.leftovers import clear_abandoned, clear_leftovers
from trainyard.scheduling.projects import Projects
from trainyard.scheduling.reindex import Reindex
from trainyard.scheduling.wake_ups import TASKS, Notifier
from trainyard.store.processes.turns import Turns
from trainyard.store.processes.worker_record import Housekeeping

logger = logging.getLogger(__name__)

ROUND_S = 2.0
"""How often to give a sign of life, and to look for work that no message tells of."""
SWEEP_S = 3600.0
"""How often one of all processes looks for what was left behind."""
SWEEP_TURN_S = 60.0
"""How often each asks whether it is the one."""
STALLED_S = 60.0
"""Housekeeping that has not come round for so long is stalled."""

FIRST_COMPARISON_S = 5.0
"""How long a process that starts waits for its comparison of Redis with storage: some thousand records."""

Work = Callable[[], object]


@dataclass
class _Part:
    """Something that is done again and again; each look is idempotent. `due_at` is monotonic."""

    name: str
    work: Work
    every_s: float = 0.0
    due_at: float = field(default_factory=time.monotonic)


class Housekeeper:
    """Brings Redis and storage into line, takes back work whose lease has lapsed, sends wake-ups for work
    that waits, and clears leftovers away."""

    def __init__(
        self,
        runs: RunRegistry,
        datasets: DatasetRegistry,
        models: ModelRegistry,
        kept: Sequence[Records[Any]],
        limits: Projects,
        reindex: Reindex,
        admission: Admission,
        notifier: Notifier,
        events: AttemptEvents,
        turns: Turns,
        rules: LeaseRules,
        beat: Callable[[Housekeeping], None] | None = None,
    ) -> None:
        """`kept` are other records that clients alone change. `beat` gives a worker's sign of life, and says
        how its housekeeping stands."""
        self._runs = runs
        self._datasets = datasets
        self._models = models
        self._kept = kept
        self._reindex = reindex
        self._events = events
        self._turns = turns
        self._beat = beat
        self._round_s = min(ROUND_S, rules.reap_every_s)
        often = rules.reap_every_s
        self._parts = [
            _Part("reaping data sets", self._reap_datasets, often),
            _Part("reaping runs", self._reap_runs, often),
            _Part("records of data sets", partial(self._repair, datasets.repair_mirrors), often),
            _Part("records of runs", partial(self._repair, runs.repair_mirrors), often),
            *(
                _Part(f"records in {one.folder.name}", partial(self._repair, one.repair_mirrors), often)
                for one in (models, *kept)
            ),
            _Part("limits of projects", limits.restore, often),
            _Part("queues of data sets", partial(self._requeue, datasets.requeue_lost), often),
            _Part("queues of runs", partial(self._requeue, runs.requeue_lost), often),
            _Part("lists of runs", runs.list_again, often),
            _Part("deliveries to webhooks", reindex.deliveries.write),
            _Part("runs that wait for data sets", admission.look),
            # A minute on: at a start there is more urgent work.
            _Part("leftovers", self._clear_leftovers, SWEEP_TURN_S, time.monotonic() + SWEEP_TURN_S),
            *(_Part(f"wake-ups of {queue}", partial(notifier.ensure_notified, queue)) for queue in TASKS),
        ]
        self._is_started = False
        self._compared = threading.Event()
        self._came_round_at: float | None = None
        self._started_at = time.monotonic()

    @property
    def housekeeping(self) -> Housekeeping:
        """How housekeeping stands; before the start it is not stalled."""
        now, last = time.monotonic(), self._came_round_at
        return Housekeeping(
            seconds_ago=None if last is None else now - last,
            is_stalled=self._is_started and now - (last or self._started_at) > STALLED_S,
        )

    def start(self, stopped: threading.Event) -> None:
        """Do all of it from threads of their own, until `stopped` is set.

        A comparison that is done soon is waited for; a longer one goes on beside the work.
        """
        self._is_started, self._started_at = True, time.monotonic()
        loops: list[tuple[str, Work]] = [("comparison", self._compare_guarded), ("housekeeping", self.look)]
        if self._beat:
            loops.append(("heartbeat", self._give_sign))
        for name, work in loops:
            arguments = (work, self._round_s, stopped)
            threading.Thread(target=_repeat, args=arguments, name=name, daemon=True).start()
        self._compared.wait(FIRST_COMPARISON_S)

    def look(self) -> None:
        """Do what is due of the parts of housekeeping, whatever any of them runs into."""
        for part in self._parts:
            if time.monotonic() >= part.due_at:
                part.due_at = time.monotonic() + part.every_s
                _guarded(part.name, part.work)
        self._came_round_at = time.monotonic()

    def compare(self) -> None:
        """Rebuild a Redis that was emptied or has started anew; raises as `Reindex.ensure`."""
        report = self._reindex.ensure()
        for problem in report.problems if report else []:
            logger.warning("%s", problem)
        if report and report.counts.total() > report.counts["same"]:
            logger.warning("Redis and storage differed; records by what became of them: %s", report.counts)

    def _compare_guarded(self) -> None:
        _guarded("comparison of Redis with storage", self.compare)
        self._compared.set()

    def _give_sign(self) -> None:
        assert self._beat  # noqa: S101 - narrows the type
        _guarded("sign of life", partial(self._beat, self.housekeeping))

    def _reap_datasets(self) -> None:
        for dataset in self._datasets.reap():
            self._tell_lost(dataset)

    def _reap_runs(self) -> None:
        for run in self._runs.reap():
            self._tell_lost(run)

    def _tell_lost(self, record: Worked) -> None:
        logger.warning("%s was lost by its worker and is %s now.", record.id, record.status)
        self._events.lose(record)

    def _clear_leftovers(self) -> None:
        if self._turns.take("leftovers", SWEEP_S):
            now = time.time()
            clear_leftovers((self._datasets, self._runs, self._models, *self._kept), now)
            clear_abandoned(self._models.predictions, now)
            clear_abandoned(self._datasets.uploads, now)
            self._reindex.deliveries.shorten(now)

    def _repair(self, repair: Callable[[], list[str]]) -> None:
        for record_id in repair():
            logger.info("%s has its record in storage again.", record_id)

    def _requeue(self, requeue: Callable[[], list[str]]) -> None:
        for record_id in requeue():
            logger.warning("%s waits and was in no queue; it is in its queue again.", record_id)


def _repeat(work: Work, pause_s: float, stopped: threading.Event) -> None:
    """Work at once, then after each pause."""
    while True:
        work()
        if stopped.wait(pause_s):
            return


def _guarded(name: str, work: Work) -> None:
    try:
        work()
    except (StoreUnavailable, StorageUnavailable) as error:
        logger.warning("Housekeeping, %s: %s (%s)", name, error.message, error.__cause__)
    except Exception:
        logger.exception("Housekeeping, %s: failed, and is tried again", name)
