"""The report as one HTML page: no script, no outside reference, pictures inlined, names escaped."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from workers.training.report.charts import Frame, Line, bar_chart, heat_map, line_chart
from workers.training.report.learning import Learning, Series
from workers.training.report.pages import learning_charts, page_template, percent, score
from workers.training.tasks.segmentation.report.split import SplitReport

SHOWN_IN_MATRIX = 30
SHOWN_AS_CURVES = 12
"""Classes drawn, the most frequent ones; report.json has all."""


def render(report: dict[str, Any], splits: list[SplitReport], learning: Learning) -> str:
    """The page of a report, whose numbers are those of report.json."""
    return page_template(Path(__file__).with_name("page.html")).render(
        report=report,
        splits=[{"report": split, "charts": _charts(split)} for split in splits],
        learning=learning_charts(learning, {"mIoU": "miou"}),
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
    return Line(name=f"{row['name']}: {score(row[area])}", points=points, color=tuple(row["color"]))


def _matrix(split: SplitReport, shown: list[int]) -> Markup:
    """The confusion of classes; nothing of a multilabel task, whose classes do not exclude each other."""
    if split.curves and isinstance(split.numbers["confusion"]["counts"][0][0], list):
        return Markup("")
    names = [split.numbers["classes"][index]["name"] for index in shown]
    counts = split.numbers["confusion"]["counts"]
    shares = split.numbers["confusion"]["row_normalised"]
    tips = [
        [
            f"{true} taken for {taken}: {counts[row][column]:,} pixels, {percent(shares[row][column])}"
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
            f"{bin['pixels']:,} pixels, {percent(bin['accuracy'])} right",
        )
        for bin in split.numbers["calibration"]
        if bin["pixels"]
    ]
    return bar_chart(bars, Frame(x_label="probability of the predicted class", y_label="share right"))
