"""The queues: who stands where, and how many wait."""

import json
from dataclasses import dataclass

from trainyard.datasets.record import DatasetStatus
from trainyard.lease import LeaseRules
from trainyard.runs.record import RunStatus
from trainyard.store.connection import Client, run_script


@dataclass(frozen=True, kw_only=True)
class QueuePosition:
    """Where a queued run stands, see queue_position.lua: `own_before` runs of its project go first.

    `limit` is that of its project, None where it has none.
    """

    position: int
    own_before: int
    limit: int | None
    is_over_limit: bool
    must_wait: bool


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a project has waiting in a queue, what it has in work in all queues, and how much it may have."""

    project: str
    waiting: int
    running: int
    limit: int | None

    @property
    def is_over_limit(self) -> bool:
        """Whether the project has as much in work as it may have."""
        return self.limit is not None and self.running >= self.limit


@dataclass(frozen=True, kw_only=True)
class Waiters:
    """What waits in a queue, by project; `must_wait` says that nothing is given out yet."""

    shares: list[Share]
    must_wait: bool


class QueueStore:
    """Questions to the queues; claims change them."""

    def __init__(self, client: Client, rules: LeaseRules, max_concurrent: int) -> None:
        """`max_concurrent` holds for projects without a limit of their own; 0 is no limit."""
        self._client = client
        self._rules = rules
        self._max_concurrent = max_concurrent

    def queue_position(self, run_id: str) -> QueuePosition | None:
        """Where the run stands; None where it does not wait."""
        arguments = (run_id, self._max_concurrent, self._rules.grace_s)
        outcome, found = run_script(self._client, "queue_position", *arguments)
        if outcome == "missing":
            return None
        return QueuePosition(
            position=int(found["position"]),
            own_before=int(found["own_before"]),
            limit=int(found["limit"]) or None,
            is_over_limit=bool(int(found["is_over_limit"])),
            must_wait=bool(int(found["must_wait"])),
        )

    def waiting_runs(self, queue: str) -> Waiters:
        """The runs that wait in the queue."""
        return self._waiting("run", queue, RunStatus.RUNNING, self._max_concurrent)

    def waiting_to_finish(self, queue: str) -> Waiters:
        """The trained runs that wait in the queue; no limit holds for them."""
        return self._waiting("run", queue, RunStatus.FINISHING, 0)

    def waiting_datasets(self, queue: str) -> Waiters:
        """The data sets that wait in the queue; no limit holds for them."""
        return self._waiting("dataset", queue, DatasetStatus.INGESTING, 0)

    def _waiting(self, kind: str, queue: str, working: str, limit: int) -> Waiters:
        arguments = (kind, queue, working, limit, self._rules.grace_s)
        outcome, found = run_script(self._client, "waiting", *arguments)
        counts = {project: json.loads(text) for project, text in found.items()}
        shares = [
            Share(project=project, waiting=waiting, running=running, limit=most or None)
            for project, (waiting, running, most) in sorted(counts.items())
        ]
        return Waiters(shares=shares, must_wait=outcome == "wait")
