"""The charts of a split: for the page as SVG, and as PNG files, which TensorBoard shows, too."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from trainyard.storage.files import RunFolder
from workers.prepared.version import Uint8
from workers.training.data.picture_files import write_picture
from workers.training.report.charts import Frame, Line, bar_chart, heat_map, line_chart
from workers.training.report.curves import Points
from workers.training.report.pages import percent, score
from workers.training.report.png_charts import curves_picture, matrix_picture
from workers.training.tasks.classification.report.split import SplitReport

SHOWN_IN_MATRIX = 30
SHOWN_AS_CURVES = 12
"""Classes drawn, the most frequent ones; report.json has more."""
_ROC = ("false positive rate", "true positive rate")
_PR = ("recall", "precision")


def page_charts(split: SplitReport) -> dict[str, Markup]:
    """By what they show; of a multilabel task, whose classes do not exclude each other, no matrix."""
    names, shares, tips = _matrix(split)
    return {
        "matrix": heat_map(names, shares, tips) if names else Markup(""),
        "calibration": _calibration(split),
        "roc": line_chart(_lines(split, "roc"), Frame(x_label=_ROC[0], y_label=_ROC[1])),
        "pr": line_chart(_lines(split, "pr"), Frame(x_label=_PR[0], y_label=_PR[1])),
    }


def write_charts(split: SplitReport, folder: RunFolder) -> None:
    """Write them to figures/; raises StorageUnavailable."""
    drawn: dict[str, Uint8] = {
        "roc": curves_picture(_lines(split, "roc"), *_ROC),
        "pr": curves_picture(_lines(split, "pr"), *_PR),
    }
    names, shares, _ = _matrix(split)
    if names:
        drawn["confusion"] = matrix_picture(names, shares)
    for name, picture in drawn.items():
        write_picture(picture, folder.figures / f"{split.name}-{name}.png")


def _frequent(rows: Sequence[dict[str, Any]], most: int) -> list[int]:
    """The indices of the classes with the most images, in their own order."""
    return sorted(sorted(range(len(rows)), key=lambda index: -rows[index]["images"])[:most])


def _lines(split: SplitReport, kind: str) -> list[Line]:
    rows = split.numbers["classes"]
    area = {"roc": "roc_auc", "pr": "average_precision"}[kind]
    found: list[Line] = []
    for index in _frequent(rows, SHOWN_AS_CURVES):
        points: Points = getattr(split.curves[index], kind)
        row = rows[index]
        name = f"{row['name']}: {score(row[area])}"
        found.append(Line(name=name, points=points, color=tuple(row["color"])))
    return found


def _matrix(split: SplitReport) -> tuple[list[str], list[list[float | None]], list[list[str]]]:
    """Names, shares of each row and what is said of each cell, of the most frequent classes; of a multilabel
    task, and of classes too many to be written, nothing."""
    confusion, rows = split.numbers["confusion"], split.numbers["classes"]
    if confusion is None or isinstance(confusion["counts"][0][0], list):
        return [], [], []
    shown = _frequent(rows, SHOWN_IN_MATRIX)
    names = [rows[index]["name"] for index in shown]
    counts, all_shares = confusion["counts"], confusion["row_normalised"]
    shares = [[all_shares[row][column] for column in shown] for row in shown]
    tips = [
        [
            f"{true} taken for {taken}: {counts[row][column]:,} images, {percent(all_shares[row][column])}"
            for column, taken in zip(shown, names, strict=True)
        ]
        for row, true in zip(shown, names, strict=True)
    ]
    return names, shares, tips


def _calibration(split: SplitReport) -> Markup:
    bars = [
        (
            bin["low"],
            bin["high"],
            bin["accuracy"],
            f"{bin['answers']:,} answers, {percent(bin['accuracy'])} right",
        )
        for bin in split.numbers["calibration"]
        if bin["answers"]
    ]
    return bar_chart(bars, Frame(x_label="probability of the predicted class", y_label="share right"))
