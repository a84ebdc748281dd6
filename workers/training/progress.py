"""Where a run is, how fast it goes and how long it will take, a few times a second."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.events import Event, Progress, Stage
from workers.training.data import Batch, SegmentationData

INTERVAL_SECONDS = 0.25
"""Least time between two reports of the same stage."""

WINDOW_BATCHES = 50
"""Batches over which the present speed is taken."""


class ProgressReports(Callback):
    """Reports on every change of stage and otherwise at most once per INTERVAL_SECONDS."""

    def __init__(self, data: SegmentationData, report: Callable[[Event], None]) -> None:
        self._data = data
        self._report = report
        self._stage: Stage = "starting"
        self._sent = 0.0
        self._loss: float | None = None
        self._marks: deque[tuple[float, int]] = deque(maxlen=WINDOW_BATCHES)
        self._images = 0
        self._val_began = 0.0
        self._val_seconds: float | None = None

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._enter(trainer, "sanity")

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Time spent in validation is no part of the training speed.
        self._marks.clear()
        self._images = 0
        self._marks.append((time.monotonic(), 0))
        self._enter(trainer, "train")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self._images += len(batch["name"])
        self._marks.append((time.monotonic(), self._images))
        if self._is_due():
            self._loss = float(outputs["loss"])
            self._send(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._val_began = time.monotonic()
        if not trainer.sanity_checking:
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

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._val_seconds = time.monotonic() - self._val_began

    def _is_due(self) -> bool:
        return time.monotonic() - self._sent >= INTERVAL_SECONDS

    def _enter(self, trainer: Trainer, stage: Stage) -> None:
        self._stage = stage
        self._send(trainer)

    def _send(self, trainer: Trainer) -> None:
        self._sent = time.monotonic()
        speed = self._speed()
        batches = trainer.num_training_batches / trainer.accumulate_grad_batches
        self._report(
            Progress(
                stage=self._stage,
                epoch=trainer.current_epoch + 1,
                epochs=int(trainer.max_epochs or 0),
                step=trainer.global_step,
                steps_per_epoch=math.ceil(batches) if batches != float("inf") else 0,
                loss=self._loss,
                images_per_second=speed,
                eta_seconds=self._eta(trainer, speed),
            )
        )

    def _speed(self) -> float | None:
        """Training images per second over the last batches of this epoch, None before the first."""
        if len(self._marks) < 2:
            return None
        (began, before), (ended, after) = self._marks[0], self._marks[-1]
        return (after - before) / max(ended - began, 1e-9)

    def _eta(self, trainer: Trainer, speed: float | None) -> float | None:
        """Seconds to the target: the images left at the present speed, and a validation for each epoch.

        Before one validation has been timed, its images count as training images, which is too long.
        """
        if speed is None:
            return None
        epochs = max(1, int(trainer.max_epochs or 1) - trainer.current_epoch)
        per_val = self._val_seconds if self._val_seconds is not None else len(self._data.val) / speed
        left = epochs * per_val + (epochs * len(self._data.train) - self._images) / speed
        if self._stage == "val":
            left -= time.monotonic() - self._val_began
        return max(0.0, left)
