"""A run's attempt that is revoked over Celery's remote control, as by a button of Flower."""

from collections.abc import Callable

from trainyard.registry.runs import RunRegistry
from trainyard.runs.events import Notice
from trainyard.scheduling.attempt_tasks import attempt_id
from workers.runs.reports import RunReports


class Revocation:
    """Makes of a revocation the stop that clients ask for, once, and tells the run's followers."""

    def __init__(self, runs: RunRegistry, reports: RunReports, is_revoked: Callable[[], bool]) -> None:
        self._runs = runs
        self._reports = reports
        self._is_revoked = is_revoked
        self._is_passed_on = False

    def pass_on(self) -> None:
        """Ask the run to stop where its attempt has been revoked; raises StoreUnavailable."""
        if self._is_passed_on or not self._is_revoked():
            return
        run = self._reports.run
        self._runs.stop(run.id, "now")
        self._is_passed_on = True
        self._reports.add(
            Notice(
                message=f"Attempt {run.fence} was revoked as task {attempt_id(run)}, in Flower or by `celery "
                "control revoke`: the run stops after the present batch and keeps its work."
            )
        )
