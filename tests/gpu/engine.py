"""Runs of the engine alone, in the process of a check."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.sides.engine import job as whole_job
from tests.gpu.check import Setting
from trainyard.runs.events import EpochEnd, Event, Notice, Progress
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.local_checkpoints import LocalCheckpoints
from workers.training.fit import fit
from workers.training.job import TrainingJob, TrainingResult


class EngineRun:
    """A run in a folder of its own, which may be left and gone on with; `events` are those of the last go."""

    def __init__(self, setting: Setting, name: str, prepared: Path) -> None:
        self.folder = setting.folder / name
        self.events: list[Event] = []
        self._setting = setting
        self._prepared = prepared
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Hand every event to it as it comes."""
        self._listeners.append(listener)

    def fit(
        self,
        spec: Mapping[str, Any],
        *,
        signals: Callable[[], Signals] = Signals,
        resume: bool = False,
        device_class: str | None = None,
    ) -> TrainingResult:
        """Train on the check's device, or on that of the class."""
        job = self.job(spec, resume=resume, device_class=device_class)
        self.events.clear()
        return fit(job, self._take, signals)

    def job(
        self, spec: Mapping[str, Any], *, resume: bool = False, device_class: str | None = None
    ) -> TrainingJob:
        """What the engine is given."""
        whole = {"seed": self._setting.seed, "export": {"onnx": False}, **spec}
        job = whole_job(whole, self._prepared, self.folder, self._setting.threads)
        keep_last = job.spec.checkpoints.keep_last
        self._checkpoints = LocalCheckpoints(RunFolder(self.folder), keep_last, resume=resume)
        return replace(
            job,
            device_class=device_class or self._setting.device_class,
            resume_from=self._checkpoints.resume_from,
            best=self._checkpoints.best,
        )

    def _take(self, event: Event) -> None:
        self._checkpoints.take(event)
        self.events.append(event)
        for listener in self._listeners:
            listener(event)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The metrics of the epochs that ended."""
        return [event.metrics for event in self.events if isinstance(event, EpochEnd)]

    @property
    def notices(self) -> list[str]:
        """What the run said."""
        return [event.message for event in self.events if isinstance(event, Notice)]

    @property
    def stages(self) -> list[str]:
        """The stages it went through, each once."""
        return list(dict.fromkeys(event.stage for event in self.events if isinstance(event, Progress)))


def largest_difference(one: list[dict[str, Any]], other: list[dict[str, Any]], name: str) -> float:
    """Between two runs' rows, of one metric; infinite where they do not have the same epochs."""
    if [row["epoch"] for row in one] != [row["epoch"] for row in other]:
        return float("inf")
    return max((abs(a[name] - b[name]) for a, b in zip(one, other, strict=True)), default=float("inf"))
