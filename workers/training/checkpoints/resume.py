"""Going on where an earlier attempt was left, at the very batch: as if it had never stopped."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.runs.events import Event, Notice
from trainyard.storage.errors import storage_error
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.epochs.module import TrainingModule
from workers.training.job import SavedFile


def newest_good(
    candidates: Sequence[SavedFile], report: Callable[[Event], None]
) -> tuple[SavedFile, dict[str, Any]] | None:
    """The first file that is as it was committed, and its content; what is passed over is told.

    Raises StorageUnavailable where the storage fails, which says nothing of the files, and NewerFormat.
    """
    for saved in candidates:
        if (damage := damage_of(saved)) is None:
            return saved, read_checkpoint(saved.path)
        report(Notice(message=f"The checkpoint after epoch {saved.epoch} is not used: {damage}"))
    return None


def damage_of(saved: SavedFile) -> str | None:
    """Why the file is not the one that was committed, None where it is; raises StorageUnavailable."""
    try:
        with saved.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{saved.path.name} is gone."
    except OSError as error:
        raise storage_error(f"{saved.path.name} could not be read", error) from error
    if found != saved.sha256:
        return f"{saved.path.name} is damaged: its content is not the one that was saved."
    return None


class Resume(Callback):
    """Puts optimizer, counters and the scores so far where a checkpoint left them.

    `batches` is how many batches of the epoch under way are done. Lightning's own resume leaves out the
    beginning of the epoch, where the encoder is frozen and the learning rate set.
    """

    def __init__(self, checkpoint: dict[str, Any], batches: int) -> None:
        self._checkpoint = checkpoint
        self._batches = batches
        self._is_due = batches > 0

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        about = self._checkpoint[ABOUT]
        trainer.optimizers[0].load_state_dict(self._checkpoint["optimizer_states"][0])
        precision = trainer.precision_plugin
        if (scaler := self._checkpoint.get(type(precision).__qualname__)) is not None:
            precision.load_state_dict(scaler)
        epochs = trainer.fit_loop.epoch_progress
        for count in (epochs.total, epochs.current):
            _set(count, about["epoch"])
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if (state := self._checkpoint["callbacks"].get(callback.state_key)) is not None:
                callback.load_state_dict(copy.deepcopy(state))
        loop = trainer.fit_loop.epoch_loop
        loop.automatic_optimization.optim_progress.optimizer.step.total.completed = about["step"]
        if self._batches:
            # The loop of an epoch counts on from where it is only when it is told that it restarts.
            loop.restarting = True
            loop.val_loop.restarting = False  # validation does begin anew, after the check before training
            for count in (loop.batch_progress.total, loop.batch_progress.current):
                _set(count, self._batches)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._restore_scores(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Here where all batches were done before: no batch is left to do so."""
        self._restore_scores(trainer, pl_module)

    def _restore_scores(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Once, after the module has begun the epoch; the first rank's hold those of all ranks."""
        if self._is_due and trainer.is_global_zero:
            assert isinstance(pl_module, TrainingModule)  # noqa: S101 - narrows the type
            pl_module.objective.train_scores.load_state(self._checkpoint[ABOUT]["train_scores"])
        self._is_due = False


def _set(count: Any, value: int) -> None:
    for stage in ("ready", "started", "processed", "completed"):
        setattr(count, stage, value)
