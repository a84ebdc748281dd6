"""The report of one split: its numbers and its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import ModelCard
from workers.training.report.curves import ClassCurves
from workers.training.tasks.classification.data.pictures import Pictures
from workers.training.tasks.classification.report.evaluation import Forward, evaluate
from workers.training.tasks.classification.report.gallery import (
    Gallery,
    Shown,
    random_places,
    worst_places,
)
from workers.training.tasks.classification.report.numbers import (
    answers_of,
    curves_of_classes,
    split_numbers,
)


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """One split's numbers as they go to report.json, and what is drawn."""

    name: str
    numbers: dict[str, Any]
    curves: Sequence[ClassCurves]
    worst: list[Shown]
    random: list[Shown]


def split_report(
    name: str,
    forward: Forward,
    card: ModelCard,
    pictures: Pictures,
    folder: RunFolder,
    device: torch.device,
    batch: int,
) -> SplitReport:
    """Evaluate on a split that is not empty, and draw its pictures; raises StorageUnavailable."""
    form, places = card.spec.model.task, sorted({1, *card.spec.data.eval_topk})
    evaluation = evaluate(forward, pictures, batch=batch, device=device)
    answers = answers_of(evaluation, form)
    curves = curves_of_classes(answers)
    gallery = Gallery(pictures, answers, card.classes, folder.figures)
    worst = gallery.draw(worst_places(answers), f"{name}-worst")
    random = gallery.draw(random_places(len(pictures), card.spec.seed), f"{name}-random")
    numbers = {
        **split_numbers(evaluation, answers, curves, card.classes, form, places),
        "worst": [one.listed() for one in worst],
        "random": [one.listed() for one in random],
    }
    return SplitReport(name=name, numbers=numbers, curves=curves, worst=worst, random=random)
