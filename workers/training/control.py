"""Signals while training: stop now, stop after the epoch, another number of epochs."""

from collections.abc import Callable
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.events import Event, SignalApplied
from trainyard.signals import Signals
from workers.training.data import SegmentationData


class StopNow(Exception):
    """Leaves the training loops at once, after the work is saved.

    Lightning's `should_stop` is not looked at in validation, and in the middle of an epoch sets off a
    whole validation before it takes effect.
    """


class Control(Callback):
    """Reads the signals before every batch, sanity check included, and after every epoch.

    It must come after the callback that saves, so that an epoch is saved before the run stops. Each
    version of a signal acts once and is acknowledged when it takes effect. With several ranks the first
    one's signals are sent to all, so that all of them stop at the same batch.
    """

    def __init__(
        self,
        signals: Callable[[], Signals],
        report: Callable[[Event], None],
        save: Callable[[Trainer], None],
    ) -> None:
        self._signals = signals
        self._report = report
        self._save = save
        self._stop_version = 0
        self._epochs_version = 0
        self.stopped = False

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._before_batch(trainer)

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
            self._before_batch(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stops of both kinds take effect here; the epoch is saved already."""
        signals = self._read(trainer)
        self._apply_epochs(trainer, signals)
        if self._wants_stop(signals):
            trainer.should_stop = True
            self._acknowledge_stop(trainer, signals)

    def _batches_of_all(self, trainer: Trainer) -> int:
        """Validation batches that every rank has."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, SegmentationData)  # noqa: S101 - narrows the type
        return data.val_batches_of_all

    def _read(self, trainer: Trainer) -> Signals:
        """The newest signals, on every rank those of the first."""
        return trainer.strategy.broadcast(self._signals())

    def _before_batch(self, trainer: Trainer) -> None:
        signals = self._read(trainer)
        self._apply_epochs(trainer, signals)
        if signals.stop == "now" and self._wants_stop(signals):
            self._save(trainer)
            self._acknowledge_stop(trainer, signals)
            raise StopNow

    def _wants_stop(self, signals: Signals) -> bool:
        return signals.stop is not None and signals.stop_version > self._stop_version

    def _acknowledge_stop(self, trainer: Trainer, signals: Signals) -> None:
        self.stopped = True
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
