"""The report as one HTML page: no script, no outside reference, pictures inlined, names escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workers.training.report.charts import Frame, Line, bar_chart, heat_map, line_chart
from workers.training.report.learning import Learning, Series
from workers.training.tasks.segmentation.report.split import SplitReport

SHOWN_IN_MATRIX = 30
SHOWN_AS_CURVES = 12
"""Classes drawn, the most frequent ones; report.json has all."""

_TRAIN_COLOR, _VAL_COLOR = (150, 150, 150), (22, 84, 148)


def render(report: dict[str, Any], splits: list[SplitReport], learning: Learning) -> str:
    """The page of a report, whose numbers are those of report.json."""
    # Everything but our own SVG, which escapes by itself, is escaped by the template.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = _score
    environment.filters["percent"] = _percent
    environment.filters["seconds"] = _seconds
    return environment.get_template("page.html").render(
        report=report,
        splits=[{"report": split, "charts": _charts(split)} for split in splits],
        learning=_learning_charts(learning),
        classes_drawn=SHOWN_AS_CURVES,
        classes_in_matrix=SHOWN_IN_MATRIX,
    )


def _charts(split: SplitReport) -> dict[str, Markup]:
    rows = split.numbers["classes"]
    frequent = sorted(range(len(rows)), key=lambda index: -(rows[index]["truth_share"] or 0.0))
    drawn = sorted(frequent[:SHOWN_AS_CURVES])
    return {
        "matrix": _matrix(split, sorted(frequent[:SHOWN_IN_MATRIX])),
        "calibration": _calibration(split),
        "roc": line_chart(
            [_line(rows[index], split.curves[index].roc, "roc_auc") for index in drawn],
            Frame(x_label="false positive rate", y_label="true positive rate"),
        ),
        "pr": line_chart(
            [_line(rows[index], split.curves[index].pr, "average_precision") for index in drawn],
            Frame(x_label="recall", y_label="precision"),
        ),
    }


def _line(row: dict[str, Any], points: Series, area: str) -> Line:
    return Line(name=f"{row['name']}: {_score(row[area])}", points=points, color=tuple(row["color"]))


def _matrix(split: SplitReport, shown: list[int]) -> Markup:
    """The confusion of classes; nothing of a multilabel task, whose classes do not exclude each other."""
    if split.curves and isinstance(split.numbers["confusion"]["counts"][0][0], list):
        return Markup("")
    names = [split.numbers["classes"][index]["name"] for index in shown]
    counts = split.numbers["confusion"]["counts"]
    shares = split.numbers["confusion"]["row_normalised"]
    tips = [
        [
            f"{true} taken for {taken}: {counts[row][column]:,} pixels, {_percent(shares[row][column])}"
            for column, taken in zip(shown, names, strict=True)
        ]
        for row, true in zip(shown, names, strict=True)
    ]
    return heat_map(names, [[shares[row][column] for column in shown] for row in shown], tips)


def _calibration(split: SplitReport) -> Markup:
    bars = [
        (
            bin["low"],
            bin["high"],
            bin["accuracy"],
            f"{bin['pixels']:,} pixels, {_percent(bin['accuracy'])} right",
        )
        for bin in split.numbers["calibration"]
        if bin["pixels"]
    ]
    return bar_chart(bars, Frame(x_label="probability of the predicted class", y_label="share right"))


def _learning_charts(learning: Learning) -> dict[str, Markup]:
    """Loss, mIoU and learning rate over epochs; a chart without any point is left out."""
    loss = [("training", "train_loss", _TRAIN_COLOR), ("validation", "val_loss", _VAL_COLOR)]
    miou = [("training", "train_miou", _TRAIN_COLOR), ("validation", "val_miou", _VAL_COLOR)]
    charts = {}
    for label, wanted in {"loss": loss, "mIoU": miou, "learning rate": [("", "lr", _VAL_COLOR)]}.items():
        lines = [
            Line(name=name or label, points=learning.curves[column], color=color)
            for name, column, color in wanted
            if learning.curves[column]
        ]
        if lines:
            charts[label] = line_chart(lines, _frame_of(lines, label))
    return charts


def _frame_of(lines: list[Line], label: str) -> Frame:
    epochs = [x for line in lines for x, _ in line.points]
    highest = 1.0 if label == "mIoU" else max(y for line in lines for _, y in line.points)
    lowest = min(0.0, *(y for line in lines for _, y in line.points), 0.0)
    return Frame(
        x_label="epoch",
        y_label=label,
        x_range=(min(epochs), max(epochs)),
        y_range=(lowest, highest),
        width=310,
        height=220,
    )


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _seconds(value: float | None) -> str:
    """Seconds as a person says them."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
