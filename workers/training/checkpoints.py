"""Checkpoint files: written whole or not at all, read without pickle, enough to rebuild the model.

A checkpoint is Lightning's own, with what Trainyard needs beside it under the key `trainyard`: spec,
classes, input rule, epochs finished, and the best metrics row so far.
"""

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from trainyard.errors import StorageUnavailable
from trainyard.events import CheckpointSaved, Event
from trainyard.spec import TrainingSpec
from trainyard.storage import RunFolder, write_json
from workers.prepared import PreparedClass
from workers.training.epochs import History
from workers.training.model import InputRule

ABOUT = "trainyard"
"""The key of a checkpoint under which our own part lies."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What must be known to use weights."""

    run_id: str
    spec: TrainingSpec
    classes: list[PreparedClass]
    rule: InputRule

    def to_dict(self) -> dict[str, Any]:
        """Plain data: numbers, text, lists and mappings."""
        return {
            "run_id": self.run_id,
            "spec": self.spec.to_dict(),
            "classes": [asdict(info) for info in self.classes],
            "mean": list(self.rule.mean),
            "std": list(self.rule.std),
        }


class Checkpoints(Callback):
    """Saves last, best and every n-th epoch after the epoch's row is made."""

    def __init__(
        self, folder: RunFolder, card: ModelCard, history: History, report: Callable[[Event], None]
    ) -> None:
        self._folder = folder
        self._card = card
        self._rule = card.spec.checkpoints
        self._spec_hash = spec_hash(card.spec)
        self._history = history
        self._report = report
        self._finished = 0

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint[ABOUT] = {
            **self._card.to_dict(),
            "epoch": self._finished,
            "step": trainer.global_step,
            "best": self._history.best,
        }

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        copies = {"best": self._folder.best_checkpoint} if self._history.improved else {}
        if self._rule.every_epochs and epoch % self._rule.every_epochs == 0:
            copies["epoch"] = self._folder.epoch_checkpoint(epoch)
        self._save(trainer, epoch, copies)
        if "epoch" in copies and self._rule.keep_last and trainer.is_global_zero:
            self._drop_oldest()

    def save_interrupted(self, trainer: Trainer) -> None:
        """Save last.ckpt in the middle of an epoch, which will count as not begun."""
        self._save(trainer, trainer.current_epoch, {})

    def _save(self, trainer: Trainer, finished: int, copies: dict[str, Path]) -> None:
        """Every rank takes part in gathering what is saved; the first one writes."""
        self._finished = finished
        files = {"last": self._folder.last_checkpoint, **copies}
        try:
            self._folder.checkpoints.mkdir(parents=True, exist_ok=True)
            temporary = files["last"].with_name(f".{files['last'].name}.tmp")
            trainer.save_checkpoint(temporary)
            if not trainer.is_global_zero:
                return
            _put(temporary, files["last"])
            for name in copies.values():
                _link(files["last"], name)
        except OSError as error:
            raise StorageUnavailable(f"A checkpoint could not be written: {error}.") from error
        self._describe(trainer, files)
        self._report(
            CheckpointSaved(
                kinds=tuple(files),
                epoch=finished,
                step=trainer.global_step,
                file=files.get("epoch", files["last"]).name,
            )
        )

    def _describe(self, trainer: Trainer, files: dict[str, Path]) -> None:
        """Write beside each file what it is, for those who list them."""
        row = self._history.row
        is_whole = row is not None and row["epoch"] == self._finished
        about = {
            "epoch": self._finished,
            "step": trainer.global_step,
            "val_miou": row["val_miou"] if row and is_whole else None,
            "monitor": self._history.monitor,
            "monitored": row[self._history.monitor] if row and is_whole else None,
            "spec_hash": self._spec_hash,
        }
        for kind, file in files.items():
            write_json(file.with_name(f"{file.name}.json"), {**about, "kind": kind})

    def _drop_oldest(self) -> None:
        """Keep the newest of the epochs' own checkpoints, as many as the spec says."""
        kept = sorted(self._folder.checkpoints.glob("epoch=*.ckpt"), key=_epoch_of)
        for old in kept[: -self._rule.keep_last]:
            old.unlink()
            old.with_name(f"{old.name}.json").unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU; raises StorageUnavailable for a file that is none of ours."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise StorageUnavailable(f"{path.name} cannot be read: {error}.") from error
    if ABOUT not in content:
        raise StorageUnavailable(f"{path.name} was not written by Trainyard.")
    return content


def clear_earlier_try(folder: RunFolder) -> None:
    """Remove checkpoints, logs and results of an earlier try, so that none is taken for this one's."""
    for kept in (folder.checkpoints, folder.tensorboard, folder.figures, folder.export):
        shutil.rmtree(kept, ignore_errors=True)
    for file in (folder.metrics_csv, folder.report_json, folder.report_html):
        file.unlink(missing_ok=True)


class Resume(Callback):
    """Puts optimizer and counters where a checkpoint left them, at the beginning of an epoch.

    Lightning's own resume goes on within an epoch whose images would be drawn anew, from the first.
    """

    def __init__(self, checkpoint: dict[str, Any]) -> None:
        self._checkpoint = checkpoint

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        about = self._checkpoint[ABOUT]
        trainer.optimizers[0].load_state_dict(self._checkpoint["optimizer_states"][0])
        precision = trainer.precision_plugin
        if (scaler := self._checkpoint.get(type(precision).__qualname__)) is not None:
            precision.load_state_dict(scaler)
        epochs = trainer.fit_loop.epoch_progress
        for count in (epochs.total, epochs.current):
            for stage in ("ready", "started", "processed", "completed"):
                setattr(count, stage, about["epoch"])
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if (state := self._checkpoint["callbacks"].get(callback.state_key)) is not None:
                callback.load_state_dict(copy.deepcopy(state))
        optimization = trainer.fit_loop.epoch_loop.automatic_optimization
        optimization.optim_progress.optimizer.step.total.completed = about["step"]


def spec_hash(spec: TrainingSpec) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the spec as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(spec.to_dict(), sort_keys=True).encode()).hexdigest()[:16]


def _epoch_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.removeprefix("epoch="))


def _put(temporary: Path, path: Path) -> None:
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def _link(source: Path, target: Path) -> None:
    """A second name for the same bytes; a copy where the volume knows no hard links."""
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        temporary.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, temporary)
    temporary.replace(target)
