"""The metrics row of each epoch, and which epoch is the best."""

import time
from collections.abc import Callable
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.runs.events import EpochEnd, Event
from trainyard.runs.metric_summary import is_better
from workers.training.data.loaders import Batch
from workers.training.epochs.loggers import log_row
from workers.training.epochs.module import TrainingModule
from workers.training.epochs.objective import Scores

Row = dict[str, Any]


class History:
    """What the epochs so far have come to. `best` may stem from before a resume.

    Only an epoch that was validated can be the best, whatever the monitored metric.
    """

    def __init__(self, monitor: str, best: Row | None) -> None:
        self.monitor = monitor
        self.best = best
        self.row: Row | None = None

    def add(self, row: Row) -> None:
        """Take the newest row; it becomes the best if it was validated and its monitored metric is better."""
        self.row = row
        if self.scored_row and (self.best is None or is_better(row, self.best, self.monitor)):
            self.best = row

    @property
    def scored_row(self) -> Row | None:
        """The newest row where its epoch was validated, else None.

        Such a row has a validation loss, even where no pixel is labelled.
        """
        return self.row if self.row and self.row["val_loss"] is not None else None

    @property
    def improved(self) -> bool:
        """Whether the newest row is the best."""
        return self.row is not None and self.row is self.best


class EpochRows(Callback):
    """Makes each epoch's row, logs it and reports it; what an epoch without validation lacks is None."""

    def __init__(self, history: History, report: Callable[[Event], None]) -> None:
        self._history = history
        self._report = report
        self._images = 0
        self._began = 0.0
        self._train_seconds = 0.0
        self._seconds_before = 0.0
        self._all_images = 0
        self._all_train_seconds = 0.0

    @property
    def images_per_second(self) -> float | None:
        """Training images of this attempt's finished epochs over the seconds their training took."""
        return self._all_images / self._all_train_seconds if self._all_images else None

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._began = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self._images += len(batch["name"])
        self._train_seconds = self._seconds_before + time.monotonic() - self._began

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, TrainingModule)  # noqa: S101 - narrows the type
        images = self._images * trainer.world_size
        self._all_images += images
        self._all_train_seconds += self._train_seconds
        pl_module.gather_scores()
        row: Row = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "lr": pl_module.learning_rate,
            **_of_stage("train", pl_module.objective.train_scores),
            **_of_stage("val", pl_module.objective.val_scores),
            "images_per_second": images / self._train_seconds,
            "epoch_seconds": self._seconds_before + time.monotonic() - self._began,
        }
        self._images, self._train_seconds, self._seconds_before = 0, 0.0, 0.0
        self._history.add(row)
        log_row(trainer.loggers, row)
        self._report(EpochEnd(epoch=row["epoch"], step=row["step"], metrics=row))

    def state_dict(self) -> dict[str, Any]:
        """What of the epoch under way its row will need; nothing once the row is made."""
        return {"images": self._images, "train_seconds": self._train_seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on within an epoch that another attempt began."""
        self._images, self._train_seconds = state_dict["images"], state_dict["train_seconds"]
        self._seconds_before = self._train_seconds


def _of_stage(stage: str, scores: Scores) -> Row:
    return {f"{stage}_{name}": value for name, value in scores.row().items()}
