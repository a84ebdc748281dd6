"""Training for a given time: the epoch target follows the clock, as a client would move it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.sides.engine import job
from trainyard.runs.checkpoints import BEST
from trainyard.runs.events import CheckpointSaved, EpochEnd, Event
from trainyard.runs.signals import Signals
from workers.training.fit import fit
from workers.training.log_lines import describe

Clock = Callable[[], float]


class Budget:
    """Moves the target after each epoch to what the seconds left allow; the schedule follows the target."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._began = clock()
        self._wishes = Signals()
        self.best = ""
        """Where the best epoch's checkpoint lies within the folder."""

    def take(self, event: Event) -> None:
        """What the engine reports."""
        if isinstance(event, CheckpointSaved) and BEST in event.kinds:
            self.best = event.stored
        elif isinstance(event, EpochEnd):
            spent = self._clock() - self._began
            target = max(event.epoch, int(self._seconds / spent * event.epoch))
            self._wishes = Signals(epochs=target, epochs_version=event.epoch)
            print(f"{spent:.0f} s, {target} epochs in all. {describe(event)}", flush=True)

    def wishes(self) -> Signals:
        """The target as it is now."""
        return self._wishes


def processor_clock(threads: int) -> Clock:
    """Seconds that so many threads have had of their cores: those of the clock on a machine at rest."""
    return lambda: time.process_time() / threads


def train_for(
    seconds: float,
    spec: dict[str, Any],
    prepared: Path,
    folder: Path,
    threads: int,
    clock: Clock = time.monotonic,
) -> Path:
    """Train, the start included in the time; returns the checkpoint of the best epoch."""
    budget = Budget(seconds, clock)
    fit(job(spec, prepared, folder, threads), budget.take, budget.wishes)
    return folder / budget.best
