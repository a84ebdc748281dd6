"""Signals while training: stop now, stop after the epoch, another number of epochs."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import torch.distributed
from lightning import Callback, LightningModule, Trainer

from trainyard.runs.events import Event, SignalApplied
from trainyard.runs.signals import Signals
from workers.training.checkpoints.files import Checkpoints
from workers.training.data.loaders import RunData
from workers.training.epochs.epoch_rows import History

Status: TypeAlias = Literal["completed", "stopped", "drained"]
"""How training ends: at its target or an early end, at a client's wish, at its worker's."""


class StopTraining(Exception):
    """Leaves the training loops at once, after the work is saved.

    Lightning's `should_stop` is not looked at in validation, and in the middle of an epoch sets off a
    whole validation before it takes effect.
    """


class Control(Callback):
    """Reads the signals before every batch, sanity check included, and after every epoch.

    It must come after the callback that saves, so that an epoch is saved before the run stops. Each
    version of a signal acts once and is acknowledged when it takes effect. With several ranks the first
    one's signals are sent to all, so that all of them stop at the same batch. Where gradients are
    accumulated, training is left between two steps of the optimizer only: a step that has begun would be
    lost.
    """

    def __init__(
        self,
        signals: Callable[[], Signals],
        report: Callable[[Event], None],
        checkpoints: Checkpoints,
        history: History,
    ) -> None:
        self._signals = signals
        self._report = report
        self._checkpoints = checkpoints
        self._history = history
        self._at_epoch_end = Signals()
        self._group: torch.distributed.ProcessGroup | None = None
        self._stop_version = 0
        self._epochs_version = 0
        self.status: Status = "completed"

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Meet the other ranks on the CPU: by NCCL each question would wait for all that a GPU has to do."""
        if trainer.world_size > 1:
            group = torch.distributed.new_group(backend="gloo")
            assert isinstance(group, torch.distributed.ProcessGroup)  # noqa: S101 - of which every rank is a member
            self._group = group

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        signals = self._listen(trainer)
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._leave_if_asked(trainer, signals, batch_idx)

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        # Other ranks may have a batch less to validate, and would not be there to listen.
        if trainer.world_size == 1 or batch_idx < self._batches_of_all(trainer):
            batches = 0 if trainer.sanity_checking else int(trainer.num_training_batches)
            self._leave_if_asked(trainer, self._listen(trainer), batches)

    def ends_with_epoch(self, trainer: Trainer) -> bool:
        """Whether the epoch whose training has just ended is the last one, by the newest signals."""
        self._at_epoch_end = self._listen(trainer)
        is_reached = trainer.current_epoch + 1 >= int(trainer.max_epochs or 0)
        return is_reached or self._wants_stop(self._at_epoch_end)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stops of both kinds take effect here; the epoch is saved already.

        One that was not validated goes by what was known when that was decided: what has come since, while it
        was saved, would make it a last epoch without a score, and takes effect in the next.
        """
        signals = self._listen(trainer) if self._history.scored_row else self._at_epoch_end
        if self._wants_stop(signals):
            self._checkpoints.settle()
            trainer.should_stop = True
            self._acknowledge_stop(trainer, signals)
        elif signals.drain and trainer.current_epoch + 1 < int(trainer.max_epochs or 0):
            trainer.should_stop = True
            self.status = "drained"

    def _batches_of_all(self, trainer: Trainer) -> int:
        """Validation batches that every rank has."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, RunData)  # noqa: S101 - narrows the type
        return data.val_batches_of_all

    def _listen(self, trainer: Trainer) -> Signals:
        """The newest signals, on every rank those of the first; a new epoch target takes effect at once."""
        signals = self._signals()
        if self._group is not None:
            sent = [signals]
            torch.distributed.broadcast_object_list(sent, src=0, group=self._group)
            signals = sent[0]
        self._apply_epochs(trainer, signals)
        return signals

    def _leave_if_asked(self, trainer: Trainer, signals: Signals, batches: int) -> None:
        """Save and leave, for a stop or for a drain; `batches` of the epoch are done."""
        stops = signals.stop == "now" and self._wants_stop(signals)
        if not stops and not signals.drain:
            return
        # In the check before training an earlier attempt's checkpoint still says how things stand, and more:
        # what was done of its epoch is taken up only when training begins.
        if not (trainer.sanity_checking and self._checkpoints.are_there):
            self._checkpoints.save_interrupted(trainer, batches)
        if stops:
            self._acknowledge_stop(trainer, signals)
        else:
            self.status = "drained"
        raise StopTraining

    def _wants_stop(self, signals: Signals) -> bool:
        return signals.stop is not None and signals.stop_version > self._stop_version

    def _acknowledge_stop(self, trainer: Trainer, signals: Signals) -> None:
        self.status = "stopped"
        self._stop_version = signals.stop_version
        self._acknowledge(trainer, "stop", signals.stop_version, str(signals.stop))

    def _apply_epochs(self, trainer: Trainer, signals: Signals) -> None:
        """Move the target. One not above the epochs done lets the present epoch be the last."""
        if signals.epochs is None or signals.epochs_version <= self._epochs_version:
            return
        self._epochs_version = signals.epochs_version
        trainer.fit_loop.max_epochs = signals.epochs
        self._acknowledge(trainer, "epochs", signals.epochs_version, str(signals.epochs))

    def _acknowledge(self, trainer: Trainer, signal: Any, version: int, value: str) -> None:
        self._report(
            SignalApplied(
                signal=signal,
                version=version,
                value=value,
                epoch=trainer.current_epoch + 1,
                step=trainer.global_step,
            )
        )
