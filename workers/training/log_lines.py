"""Events as lines for a person: the training log and the command line."""

from collections.abc import Mapping
from typing import Any

from trainyard.runs.events import CheckpointSaved, EpochEnd, Event, Notice, Progress, SignalApplied
from trainyard.tasks.registry import TASKS


def describe(event: Event) -> str | None:
    """One line, or None for an event that a log need not hold."""
    match event:
        case EpochEnd(metrics=row):
            return (
                f"epoch {row['epoch']:4d}  loss {row['train_loss']:.4f}  val loss {score(row['val_loss'])}  "
                f"{_headline(row)}{row['images_per_second']:.1f} images/s  "
                f"{row['epoch_seconds']:.1f} s"
            )
        case CheckpointSaved(kinds=kinds, epoch=epoch, step=step):
            return f"saved {', '.join(kinds)} after epoch {epoch}, step {step}"
        case SignalApplied(signal=signal, value=value, epoch=epoch, step=step):
            return f"{signal} {value} took effect in epoch {epoch} at step {step}"
        case Progress(stage="report"):
            return "evaluating the best epoch"
        case Progress(stage="export"):
            return "exporting"
        case Notice(message=message):
            return message
        case _:
            return None


def _headline(row: Mapping[str, Any]) -> str:
    """The metric of the row's task that a person is told of."""
    found = [task.headline for task in TASKS.values() if task.headline[0] in row]
    return "".join(f"{title} {score(row[name])}  " for name, title in found[:1])


def score(value: float | None) -> str:
    """A score with four digits, or a dash for none."""
    return "-" if value is None else f"{value:.4f}"
