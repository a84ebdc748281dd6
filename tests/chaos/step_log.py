"""What each training child computes and when, written by the child itself: the judge's only witness.

The cluster makes `callbacks` known to Lightning by an entry point that only its own workers see, so that the
service needs no hook. A child has one file; times are of the monotonic clock, which all processes of a
machine share.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lightning import Callback, LightningModule, Trainer

FOLDER_VARIABLE = "CHAOS_STEPS"
STEP_VARIABLE = "CHAOS_STEP_S"
"""Seconds that each step takes longer, so that it can be hit without keeping a core busy."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A training step of a child began or ended at `at` (s, monotonic); epochs and steps count from 0.

    A process id may come again, the name `child` does not.
    """

    at: float
    what: Literal["begin", "end"]
    run: str
    pid: int
    child: str
    epoch: int
    step: int


class StepLog(Callback):
    """Appends a line as a training step begins, and one as it ends."""

    def __init__(self, folder: Path, step_s: float) -> None:
        self._step_s = step_s
        self._child = f"{os.getpid()}-{time.monotonic_ns()}"
        self._descriptor = os.open(
            folder / f"{self._child}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._write("begin", trainer, trainer.global_step)
        time.sleep(self._step_s)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._write("end", trainer, trainer.global_step - 1)

    def _write(self, what: Literal["begin", "end"], trainer: Trainer, step: int) -> None:
        mark = Mark(
            at=time.monotonic(),
            what=what,
            run=run_of(Path(trainer.default_root_dir)),
            pid=os.getpid(),
            child=self._child,
            epoch=trainer.current_epoch,
            step=step,
        )
        os.write(self._descriptor, f"{json.dumps(asdict(mark))}\n".encode())


def callbacks() -> list[Callback]:
    """Lightning calls this for every trainer of a cluster's workers."""
    return [StepLog(Path(os.environ[FOLDER_VARIABLE]), float(os.environ[STEP_VARIABLE]))]


def run_of(folder: Path) -> str:
    """The id of the run whose folder this is, or is in."""
    return next(part for part in reversed(folder.parts) if part.startswith("run-"))


def install(site: Path) -> None:
    """Write the entry point into a folder that is to be on the workers' PYTHONPATH."""
    about = site / "chaos_step_log-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: chaos-step-log\nVersion: 0\n")
    (about / "entry_points.txt").write_text(
        f"[lightning.pytorch.callbacks_factory]\nstep_log = {__name__}:callbacks\n"
    )


def read_marks(folder: Path) -> list[Mark]:
    """All marks so far, in the order of time; a line that is still being written is left out."""
    marks = [mark for path in folder.glob("*.jsonl") for mark in _marks_of(path)]
    return sorted(marks, key=lambda mark: mark.at)


def newest_marks(folder: Path, within_s: float) -> list[Mark]:
    """The last mark of each child that has made one in the last seconds."""
    written_after = time.time() - within_s
    lively = [path for path in folder.glob("*.jsonl") if path.stat().st_mtime > written_after]
    return [mark for path in lively for mark in list(_marks_of(path))[-1:]]


def _marks_of(path: Path) -> Iterator[Mark]:
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            yield Mark(**json.loads(line))
