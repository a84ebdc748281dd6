"""How long a run may train, all its attempts together (`max_hours`).

Within an attempt time is the monotonic clock's, which no clock step moves; what earlier attempts used is in
the record. A run that is halted because Redis is away uses its time as well.
"""

import time
from dataclasses import replace

from trainyard.errors import TimeLimit
from trainyard.runs.record import Run
from trainyard.runs.signals import Signals

HOUR_S = 3600.0
STOP_GRACE_S = 600.0
"""How long past its time a run may take to save its work, or to write its results; then it is killed."""


class RunningTime:
    """The time that a run has used, this attempt included, and what is to come of it."""

    def __init__(self, run: Run, worker_max_hours: float | None) -> None:
        self._used_before = run.used_seconds
        self._began = time.monotonic()
        self._worker_max = worker_max_hours

    @property
    def used_seconds(self) -> float:
        """Seconds that all attempts together have taken so far."""
        return self._used_before + time.monotonic() - self._began

    def is_over(self, run: Run) -> bool:
        """Whether the run has to stop."""
        return self._past(run, 0.0)

    def is_grace_over(self, run: Run) -> bool:
        """Whether it did not stop although it had to."""
        return self._past(run, STOP_GRACE_S)

    def wished(self, run: Run, signals: Signals) -> Signals:
        """The signals for the child: those of the clients, and to stop once the time is over."""
        if not self.is_over(run):
            return signals
        return replace(signals, stop="now", stop_version=signals.stop_version + 1)

    def error(self, run: Run) -> TimeLimit:
        """What the run fails with."""
        limit = self._hours(run)
        bounded = run.max_hours is None or limit != run.max_hours
        who = "this worker lets a run train" if bounded else "max_hours of the run is"
        return TimeLimit(
            f"The run has trained for {self.used_seconds / HOUR_S:.2f} h, and {who} {limit:g} h.",
            remedy="Ask the operator for a higher TRAINYARD_MAX_HOURS, then resume the run."
            if bounded
            else None,
        )

    def _hours(self, run: Run) -> float | None:
        limits = [hours for hours in (run.max_hours, self._worker_max) if hours is not None]
        return min(limits, default=None)

    def _past(self, run: Run, grace_s: float) -> bool:
        limit = self._hours(run)
        return limit is not None and self.used_seconds >= limit * HOUR_S + grace_s


class FinishingTime(RunningTime):
    """The time for what a trained run owes: what its training has left of the limit, and the grace beyond.

    It is no training, so it counts for nothing, and each attempt has it anew.
    """

    @property
    def used_seconds(self) -> float:
        """As training left it."""
        return self._used_before

    def is_over(self, run: Run) -> bool:
        """It may always begin."""
        return False

    def is_grace_over(self, run: Run) -> bool:
        """Whether report and export take too long."""
        limit = self._hours(run)
        if limit is None:
            return False
        left = max(0.0, limit * HOUR_S - self._used_before)
        return time.monotonic() - self._began >= left + STOP_GRACE_S

    def wished(self, run: Run, signals: Signals) -> Signals:
        """The signals as they are."""
        return signals

    def error(self, run: Run) -> TimeLimit:
        """What the run fails with."""
        return TimeLimit(
            f"Report and export were not done {STOP_GRACE_S / 60:.0f} minutes past the limit of "
            f"{self._hours(run):g} h; the checkpoints are whole.",
            remedy="Use the checkpoints, or resume the run to have its results tried again.",
        )
