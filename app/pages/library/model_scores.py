"""The score that a trained model's task is told by, and those of its classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainyard.tasks.registry import TASKS


@dataclass(frozen=True, kw_only=True)
class Score:
    """The value on the validation images, with its title."""

    title: str
    value: float | None


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """A score of single classes on the validation images, by their names, and its mean over them."""

    title: str
    values: Mapping[str, float | None]
    mean: float | None


_OF_CLASSES = (
    ("iou", "IoU", "miou"),
    ("f1_per_class", "F1", "f1"),
    ("ap50_per_class", "AP50", "map50"),
)
"""In the metrics of a card: the scores of classes, their title, and their mean."""


def class_scores(metrics: Mapping[str, Any]) -> ClassScores:
    """Those of the metrics of a card."""
    found = metrics.get("val", {})
    for name, title, mean in _OF_CLASSES:
        if name in found:
            return ClassScores(title=title, values=found[name], mean=found.get(mean))
    return ClassScores(title="score", values={}, mean=None)


def score_of(metrics: Mapping[str, Any]) -> Score | None:
    """That of the metrics of a card, by split; None where they have the headline of no task."""
    for task in TASKS.values():
        column, title = task.headline
        split, _, name = column.partition("_")
        if name in metrics.get(split, {}):
            return Score(title=title, value=metrics[split][name])
    return None
