"""The queues of runs: who stands where, and how many wait."""

from dataclasses import dataclass
from typing import cast

from trainyard.lease import LeaseRules
from trainyard.store import keys
from trainyard.store.connection import Client, run_script, store_errors


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a queued run stands, see standing.lua. `limit` is that of its project, None where it has none."""

    position: int
    running: int
    limit: int | None
    is_held_up: bool
    must_wait: bool


class QueueStore:
    """Questions to the queues; claims change them."""

    def __init__(self, client: Client, rules: LeaseRules, max_concurrent: int) -> None:
        """`max_concurrent` holds for projects without a limit of their own; 0 is no limit."""
        self._client = client
        self._rules = rules
        self._max_concurrent = max_concurrent

    def standing(self, run_id: str) -> Standing | None:
        """Where the run stands; None where it does not wait."""
        arguments = (run_id, self._max_concurrent, self._rules.grace_s)
        outcome, found = run_script(self._client, "standing", *arguments)
        if outcome == "missing":
            return None
        return Standing(
            position=int(found["position"]),
            running=int(found["running"]),
            limit=int(found["limit"]) or None,
            is_held_up=bool(int(found["is_held_up"])),
            must_wait=bool(int(found["must_wait"])),
        )

    def waiting(self, queue: str) -> dict[str, int]:
        """How many records of each project wait in the queue."""
        with store_errors():
            projects = sorted(cast("set[str]", self._client.smembers(keys.queue_projects(queue))))
            pipeline = self._client.pipeline(transaction=False)
            for project in projects:
                pipeline.zcard(keys.queue_of_project(queue, project))
            return dict(zip(projects, pipeline.execute(), strict=True))
