"""Where a run is, how fast it goes and how long it will take, a few times a second."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.runs.events import Event, Progress, Stage
from workers.training.data.loaders import Batch
from workers.training.engine.eta import Duration, Pace
from workers.training.epochs.module import TrainingModule
from workers.training.epochs.validation import due_after, is_due

INTERVAL_SECONDS = 0.25
"""Least time between two reports of the same stage."""

WINDOW_BATCHES = 50
"""Batches over which the present speed is taken."""


class ProgressReports(Callback):
    """Reports on every change of stage and otherwise at most once per INTERVAL_SECONDS."""

    def __init__(self, report: Callable[[Event], None], val_every_epochs: int = 1) -> None:
        self._report = report
        self._val_every = val_every_epochs
        self._is_validated = False
        self._stage: Stage = "starting"
        self._sent = 0.0
        self._loss: float | None = None
        self._marks: deque[tuple[float, int]] = deque(maxlen=WINDOW_BATCHES)
        self._images = 0
        self._pace = Pace()
        self._batches_done = 0

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._enter(trainer, "sanity")

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Time spent in validation is no part of the training speed.
        self._marks.clear()
        self._images = 0
        self._marks.append((time.monotonic(), 0))
        self._batches_done = 0
        batches = int(trainer.num_training_batches)
        self._pace.begin_epoch(time.monotonic(), batches, validated=self._is_validated)
        self._is_validated = False
        self._enter(trainer, "train")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self._images += len(batch["name"])
        self._batches_done = batch_idx + 1
        self._pace.end_batch(time.monotonic())
        self._marks.append((time.monotonic(), self._images))
        if self._is_due():
            assert isinstance(pl_module, TrainingModule)  # noqa: S101 - narrows the type
            self._loss = pl_module.losses.value
            self._send(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._is_validated = True
            self._enter(trainer, "val")

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self._is_due():
            self._send(trainer)

    def _is_due(self) -> bool:
        return time.monotonic() - self._sent >= INTERVAL_SECONDS

    def _enter(self, trainer: Trainer, stage: Stage) -> None:
        self._stage = stage
        self._send(trainer)

    def _send(self, trainer: Trainer) -> None:
        self._sent = time.monotonic()
        batches = trainer.num_training_batches / trainer.accumulate_grad_batches
        left = self._left(trainer)
        self._report(
            Progress(
                stage=self._stage,
                epoch=trainer.current_epoch + 1,
                epochs=int(trainer.max_epochs or 0),
                step=trainer.global_step,
                steps_per_epoch=math.ceil(batches) if batches != float("inf") else 0,
                loss=self._loss,
                images_per_second=self._speed(),
                eta_seconds=left.likely if left else None,
                eta_low_seconds=left.low if left else None,
                eta_high_seconds=left.high if left else None,
            )
        )

    def _speed(self) -> float | None:
        """Training images per second over the last batches of this epoch, None before the first."""
        if len(self._marks) < 2:
            return None
        (began, before), (ended, after) = self._marks[0], self._marks[-1]
        return (after - before) / max(ended - began, 1e-9)

    def _left(self, trainer: Trainer) -> Duration | None:
        """How long it will take to the end of the last epoch; None before the first."""
        if self._stage == "sanity":
            return None
        batches = int(trainer.num_training_batches)
        is_over = self._stage == "val"
        epoch, target = trainer.current_epoch + 1, int(trainer.max_epochs or 1)
        after = max(0, target - epoch)
        return self._pace.left(
            time.monotonic(),
            batches_left=0 if is_over else batches - self._batches_done,
            epochs_after=after,
            batches=batches,
            val=int(sum(trainer.num_val_batches)),
            validated=is_due(epoch, self._val_every, target),
            not_validated=after - due_after(epoch, self._val_every, target),
        )
