"""Checkpoint files: written whole or not at all, read without pickle, enough to rebuild the model.

A checkpoint is Lightning's own, with what Trainyard needs beside it under the key `trainyard`: spec,
classes, input rule, the best metrics row so far, the epochs finished, and of one that was interrupted the
batches done and the scores of training so far.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.runs.checkpoints import public_name
from trainyard.runs.events import CheckpointSaved, Event
from trainyard.spec.checks import task_of
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import SCHEMA
from workers.prepared.version import DepthScale, PreparedClass
from workers.training.checkpoints.checkpoint_writer import BackgroundWriter
from workers.training.checkpoints.content import ABOUT, read_checkpoint
from workers.training.epochs.epoch_rows import History
from workers.training.epochs.module import TrainingModule
from workers.training.job import SavedFile
from workers.training.network.normalization import Normalization

__all__ = (  # with what is read of them, for which Lightning is not needed
    "ABOUT",
    "Checkpoints",
    "ModelCard",
    "Saved",
    "read_checkpoint",
    "spec_hash",
)


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What must be known to use weights.

    `depth` says how the set's images of more than 8 bits became 8; it is None where that was not kept yet.
    """

    run_id: str
    spec: TrainingSpec
    classes: list[PreparedClass]
    rule: Normalization
    depth: tuple[DepthScale, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data: numbers, text, lists and mappings."""
        return {
            "run_id": self.run_id,
            "spec": self.spec.to_dict(),
            "classes": [asdict(info) for info in self.classes],
            "mean": list(self.rule.mean),
            "std": list(self.rule.std),
            "depth": None if self.depth is None else [asdict(scale) for scale in self.depth],
        }


@dataclass
class Saved:
    """The files to go on from and to finish with: the newest one, and that of the best epoch."""

    newest: SavedFile | None = None
    best: SavedFile | None = None


class Checkpoints(Callback):
    """Saves after every epoch, once its row is made; the writer writes while training goes on.

    What was saved is reported when it is on disk: at a later batch, at the next save or at the end.
    """

    def __init__(
        self,
        folder: RunFolder,
        card: ModelCard,
        history: History,
        saved: Saved,
        writer: BackgroundWriter,
        report: Callable[[Event], None],
    ) -> None:
        self._folder = folder
        self._card = card
        self._rule = card.spec.checkpoints
        self._spec_hash = spec_hash(card.spec)
        self._listed = task_of(card.spec).monitors
        self._history = history
        self._saved = saved
        self._writer = writer
        self._report = report
        self._about: dict[str, Any] = {}
        self._path = folder.saved
        self._kinds: tuple[str, ...] = ()

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint[ABOUT] = {
            "schema": SCHEMA,
            **self._card.to_dict(),
            **self._about,
            "best": self._history.best,
        }

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._look()

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._look()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        kinds = ["last"]
        if self._history.improved:
            kinds.append("best")
        if self._rule.every_epochs and epoch % self._rule.every_epochs == 0:
            kinds.append("epoch")
        self._save(trainer, {"epoch": epoch, "step": trainer.global_step, "batches": 0}, kinds)

    @property
    def are_there(self) -> bool:
        """Whether anything has been saved, by this attempt or by the one that it goes on from."""
        return self._saved.newest is not None

    def save_interrupted(self, trainer: Trainer, batches: int) -> None:
        """Save in the middle of an epoch of which so many batches are done, and wait until it is written.

        All ranks call this together, and train no further.
        """
        module = trainer.lightning_module
        assert isinstance(module, TrainingModule)  # noqa: S101 - narrows the type
        module.gather_scores()
        about = {"epoch": trainer.current_epoch, "step": trainer.global_step, "batches": batches}
        self._save(trainer, {**about, "train_scores": module.objective.train_scores.state()}, ["last"])
        self.settle()

    def settle(self) -> None:
        """Wait for what is being written and report it; raises StorageUnavailable."""
        written = self._writer.outcome()
        if written is None:
            return
        epoch, step = self._about["epoch"], self._about["step"]
        file = SavedFile(path=self._path, epoch=epoch, sha256=written.sha256)
        before, self._saved.newest = self._saved.newest, file
        if "best" in self._kinds:
            self._saved.best = file
        kind = "epoch" if "epoch" in self._kinds else "last"
        self._report(
            CheckpointSaved(
                kinds=self._kinds,
                epoch=epoch,
                step=step,
                file=f"{public_name(kind, epoch)}.ckpt",
                stored=self._path.relative_to(self._folder.path).as_posix(),
                bytes=written.bytes,
                sha256=written.sha256,
                after=before.sha256 if before else None,
                seconds=round(written.seconds, 3),
            )
        )

    def _look(self) -> None:
        if not self._writer.is_writing:
            self.settle()

    def _save(self, trainer: Trainer, about: dict[str, Any], kinds: list[str]) -> None:
        """Every rank takes part in gathering what is saved; the first one writes."""
        self.settle()
        self._about, self._kinds = about, tuple(kinds)
        name = f"e{about['epoch']:03d}-s{about['step']:06d}-{secrets.token_hex(4)}.ckpt"
        self._path = self._folder.saved / name
        trainer.save_checkpoint(self._path, storage_options=self._beside())

    def _beside(self) -> dict[str, Any]:
        """What stands beside the file, for those who list them."""
        row = self._history.row
        is_whole = row is not None and row["epoch"] == self._about["epoch"]
        return {
            "epoch": self._about["epoch"],
            "step": self._about["step"],
            **{name: row.get(name) if row and is_whole else None for name in self._listed},
            "monitor": self._history.monitor,
            "monitored": row[self._history.monitor] if row and is_whole else None,
            "spec_hash": self._spec_hash,
        }


def spec_hash(spec: TrainingSpec) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the spec as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(spec.to_dict(), sort_keys=True).encode()).hexdigest()[:16]
