"""Use cases that do one thing to many runs, each by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.service.runs.life import RunLifeService
from app.service.runs.runs import RunService
from trainyard.errors import TrainyardError
from trainyard.runs.signals import StopWhen


@dataclass(frozen=True, kw_only=True)
class BulkOutcome:
    """What came of one run: the status that it has now, None once it is deleted; or why it is as it was."""

    id: str
    status: str | None = None
    error: TrainyardError | None = None


class RunBulkService:
    """Each run is stopped, cancelled or deleted as by its own request, whatever becomes of the others."""

    def __init__(self, runs: RunService, life: RunLifeService) -> None:
        self._runs = runs
        self._life = life

    def stop(self, run_ids: Sequence[str], when: StopWhen) -> list[BulkOutcome]:
        """Stop them and keep their work."""
        return [
            _outcome(self._runs, one, lambda run_id: self._runs.stop(run_id, when).run.status)
            for one in run_ids
        ]

    def cancel(self, run_ids: Sequence[str]) -> list[BulkOutcome]:
        """Throw them away; their records stay."""
        return [
            _outcome(self._runs, one, lambda run_id: self._life.cancel(run_id).run.status) for one in run_ids
        ]

    def delete(self, run_ids: Sequence[str]) -> list[BulkOutcome]:
        """Delete those that have ended, with their files."""
        return [_outcome(self._runs, one, self._life.remove) for one in run_ids]


def _outcome(runs: RunService, run_id: str, work: Callable[[str], str | None]) -> BulkOutcome:
    try:
        runs.require_access(run_id)
        return BulkOutcome(id=run_id, status=work(run_id))
    except TrainyardError as error:
        return BulkOutcome(id=run_id, error=error)
