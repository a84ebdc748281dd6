"""Supervises the finishing of one trained run: a child writes report and export, under lease and fence."""

import threading
from collections.abc import Callable
from typing import Any

from trainyard.catalog.names import CPU
from trainyard.errors import CheckpointsLost, Revoked
from trainyard.lease import Ownership
from trainyard.registry.runs import RunRegistry
from trainyard.runs.checkpoints import BEST, newest_first
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.files import Storage
from workers.process.child import FINISHING_CHILD, Child
from workers.runs.job_message import finishing_job_to_message
from workers.runs.supervisor import RunSupervisor
from workers.runs.time_limit import FinishingTime
from workers.training.job import FinishingJob


class FinishingSupervisor(RunSupervisor):
    """Finishes one claimed run, or gives it back when the worker drains; what was trained stays in any case.

    What is wished of it besides a cancel comes too late. Revoked by an operator it fails, and is finished
    again when it is retried.
    """

    process = "finishing process"

    def __init__(
        self,
        runs: RunRegistry,
        storage: Storage,
        threads: int,
        draining: threading.Event,
        run: Run,
        ownership: Ownership,
        max_hours: float | None = None,
        is_revoked: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(runs, storage, threads, draining, run, ownership, max_hours)
        self._time = FinishingTime(run, max_hours)
        self._is_revoked = is_revoked

    def _announce(self) -> None:
        """Followers know that it is finishing since its training has ended."""

    def _child(self) -> Child:
        return Child(FINISHING_CHILD, finishing_job_to_message(self._owed()), self._ownership.until)

    @property
    def _device_class(self) -> str:
        return CPU  # the devices train others meanwhile

    def _owed(self) -> FinishingJob:
        run = self._run
        best = [run.checkpoints[BEST]] if BEST in run.checkpoints else []
        return FinishingJob(
            folder=self._files.own.path,
            prepared=self._prepared,
            checkpoints=tuple(map(self._saved, [*best, *newest_first(run.checkpoints)])),
            export=run.spec.export,
            threads=self._threads,
            epoch=run.epoch,
            step=run.step,
            epochs=run.epochs,
            content_hash=run.dataset_hash,
            device_class=self._device_class,
        )

    def _must_end(self) -> bool:
        return self._is_revoked() or super()._must_end()

    def _conclude(self, code: int | None) -> None:
        if self._outcome or not self._is_revoked():
            super()._conclude(code)
        else:
            self._fail(Revoked().to_dict())

    def _conclude_result(self, result: dict[str, Any]) -> None:
        """Complete the run. Its results are in their places first, for whoever reads that it is completed."""
        self._until_answered(lambda: self._keep_results(result))
        self._end(RunStatus.COMPLETED)

    def _keep_results(self, result: dict[str, Any]) -> None:
        whole = {**(self._run.result or {}), "export": result["export"]}
        self._reports.settle(result=whole, results_of=self._run.fence)

    def _fail(self, error: dict[str, Any], **values: Any) -> None:
        """As in training; a run of which no checkpoint is left has to train again when it is resumed."""
        if error["code"] == CheckpointsLost.code:
            values["result"] = None
        super()._fail(error, **values)
