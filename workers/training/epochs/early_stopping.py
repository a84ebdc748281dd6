"""What depends on whether a metric still gets better: the drops of plateau, and ending a run early."""

from collections.abc import Callable
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.runs.events import Event, Notice
from trainyard.spec.training_spec import EarlyStoppingSpec, ScheduleSpec
from trainyard.tasks.registry import direction_of
from workers.training.epochs.epoch_rows import History
from workers.training.epochs.module import TrainingModule


class Patience:
    """Counts the validated epochs since a metric was better by more than `min_delta` than ever before."""

    def __init__(self, metric: str, epochs: int, min_delta: float) -> None:
        self._metric = metric
        self._sign = 1 if direction_of(metric) == "max" else -1
        self._epochs = epochs
        self._min_delta = min_delta
        self.best: float | None = None
        self.waited = 0

    def is_out(self, row: dict[str, Any]) -> bool:
        """Take a validated epoch's row; whether it was one too many. A metric without value is no better."""
        value = row[self._metric]
        if value is not None and (self.best is None or self._sign * (value - self.best) > self._min_delta):
            self.best, self.waited = value, 0
            return False
        self.waited += 1
        return self.waited >= self._epochs


class Plateau(Callback):
    """Lets the learning rate drop when the validation loss has not fallen for a while."""

    def __init__(self, spec: ScheduleSpec, history: History) -> None:
        self._patience = Patience("val_loss", spec.patience, 0.0)
        self._history = history
        self._drops = 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, TrainingModule)  # noqa: S101 - narrows the type
        pl_module.drops = self._drops

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = self._history.scored_row
        if row and self._patience.is_out(row):
            self._drops += 1
            self._patience.waited = 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self._patience.best, "waited": self._patience.waited, "drops": self._drops}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._patience.best, self._patience.waited = state_dict["best"], state_dict["waited"]
        self._drops = state_dict["drops"]


class EarlyStop(Callback):
    """Ends the run, as completed, when its metric has not become better for long enough.

    It is looked at after validated epochs alone, a training loss too: so the last epoch has a score.
    A run that is resumed for more epochs after an early end has its patience anew.
    """

    def __init__(self, spec: EarlyStoppingSpec, history: History, report: Callable[[Event], None]) -> None:
        self._spec = spec
        self._patience = Patience(spec.monitor, spec.patience, spec.min_delta)
        self._history = history
        self._report = report
        self._ended_with_target: int | None = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = self._history.scored_row
        if not row or not self._patience.is_out(row):
            return
        trainer.should_stop = True
        self._ended_with_target = trainer.max_epochs
        best = "unknown" if self._patience.best is None else f"{self._patience.best:.4f}"
        self._report(
            Notice(
                message=f"Ended early after epoch {trainer.current_epoch + 1}: {self._spec.monitor} has not "
                f"become better than {best} in {self._patience.waited} validated epochs."
            )
        )

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {
            "best": self._patience.best,
            "waited": self._patience.waited,
            "ended_with_target": self._ended_with_target,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._patience.best, self._patience.waited = state_dict["best"], state_dict["waited"]
        if state_dict["ended_with_target"] is not None:
            self._patience.waited = 0


def ended_early(checkpoint: dict[str, Any], epochs: int) -> bool:
    """Whether the run that left this checkpoint ended early on its way to this very target."""
    state = checkpoint["callbacks"].get("EarlyStop", {})
    return bool(state.get("ended_with_target") == epochs)
