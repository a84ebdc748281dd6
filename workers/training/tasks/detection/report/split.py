"""The report of one split: its numbers and its pictures."""

from dataclasses import dataclass
from typing import Any

from trainyard.storage.files import RunFolder
from trainyard.tasks.detection import INSTANCES
from workers.training.checkpoints.files import ModelCard
from workers.training.data.picture_files import write_picture
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.report.charts import write_charts
from workers.training.tasks.detection.report.evaluation import Evaluation
from workers.training.tasks.detection.report.gallery import Gallery, Shown
from workers.training.tasks.detection.report.numbers import split_numbers


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """One split's numbers as they go to report.json, and what is drawn."""

    name: str
    numbers: dict[str, Any]
    worst: list[Shown]
    random: list[Shown]


def split_report(
    name: str,
    evaluation: Evaluation,
    threshold: float,
    card: ModelCard,
    squares: Squares,
    folder: RunFolder,
) -> SplitReport:
    """Count, and draw the pictures and charts of a split; raises StorageUnavailable."""
    gallery = Gallery(squares, evaluation, threshold, card.classes, folder.figures)
    worst = gallery.draw(gallery.worst_places(), f"{name}-worst")
    random = gallery.draw(gallery.random_places(card.spec.seed), f"{name}-random")
    numbers = {
        **split_numbers(evaluation, threshold, card.classes, masks=card.spec.model.task == INSTANCES),
        "worst": [one.listed() for one in worst],
        "random": [one.listed() for one in random],
    }
    write_charts(name, numbers, folder)
    if name == "val":
        write_picture(gallery.overlay(), folder.figures / "overlay.png")
    return SplitReport(name=name, numbers=numbers, worst=worst, random=random)
