"""The report of one split as plain data, and its charts."""

from dataclasses import asdict, dataclass
from typing import Any

from workers.prepared.version import PreparedClass
from workers.training.report.curves import ClassCurves
from workers.training.tasks.segmentation.report.evaluation import Evaluation
from workers.training.tasks.segmentation.report.gallery import Strip
from workers.training.tasks.segmentation.report.pixels import (
    Score,
    mean,
    normalised,
    pixel_accuracy,
    pixel_scores,
)


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """One split's numbers as they go to report.json, and its pictures."""

    name: str
    numbers: dict[str, Any]
    curves: list[ClassCurves]
    worst: list[Strip]
    random: list[Strip]


def split_report(
    name: str, evaluation: Evaluation, classes: list[PreparedClass], worst: list[Strip], random: list[Strip]
) -> SplitReport:
    """Put together what a pass over the split has counted and drawn."""
    curves = evaluation.curves.compute()
    boundary = evaluation.boundary.compute()
    rows = _class_rows(evaluation, classes, boundary, curves)
    numbers = {
        "images": evaluation.images,
        "labelled_pixels": evaluation.labelled_pixels,
        "ignored_pixels": evaluation.ignored_pixels,
        "miou": mean([row["iou"] for row in rows]),
        "dice": mean([row["dice"] for row in rows]),
        "pixel_accuracy": pixel_accuracy(evaluation.counts),
        "boundary_f": mean(boundary),
        "ece": evaluation.calibration.error(),
        "classes": rows,
        "confusion": {
            "counts": evaluation.counts.tolist(),
            "row_normalised": normalised(evaluation.counts),
        },
        "calibration": [asdict(bin) for bin in evaluation.calibration.bins()],
        "curves": [{"class": c.name, "roc": k.roc, "pr": k.pr} for c, k in zip(classes, curves, strict=True)],
        "worst": [_listed(strip) for strip in worst],
        "random": [_listed(strip) for strip in random],
        "forward_seconds": evaluation.forward_seconds,
        "seconds": evaluation.seconds,
        "images_per_second": evaluation.images / max(evaluation.forward_seconds, 1e-9),
    }
    return SplitReport(name=name, numbers=numbers, curves=curves, worst=worst, random=random)


def _class_rows(
    evaluation: Evaluation, classes: list[PreparedClass], boundary: list[Score], curves: list[ClassCurves]
) -> list[dict[str, Any]]:
    scores = pixel_scores(evaluation.counts)
    return [
        {
            "index": info.index,
            "name": info.name,
            "color": list(info.color),
            **asdict(scores[info.index]),
            "boundary_f": boundary[info.index],
            "roc_auc": curves[info.index].roc_auc,
            "average_precision": curves[info.index].average_precision,
        }
        for info in classes
    ]


def _listed(strip: Strip) -> dict[str, Any]:
    return {
        "name": strip.name,
        "miou": strip.miou,
        "wrong_share": strip.wrong_share,
        "figure": strip.figure,
    }
