"""The charts of a split: for the page as SVG, and as PNG files, which TensorBoard shows, too."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from trainyard.storage.files import RunFolder
from workers.training.data.picture_files import write_picture
from workers.training.report.charts import Frame, Line, heat_map, line_chart
from workers.training.report.pages import percent, score
from workers.training.report.png_charts import curves_picture, matrix_picture

SHOWN_IN_MATRIX = 30
SHOWN_AS_CURVES = 12
"""Classes drawn, the most frequent ones; report.json has more."""
NOTHING = "nothing"
_PR = ("recall", "precision")

Numbers = dict[str, Any]


def page_charts(numbers: Numbers) -> dict[str, Markup]:
    """By what they show."""
    names, shares, tips = _matrix(numbers)
    return {
        "matrix": heat_map(names, shares, tips) if names else Markup(""),
        "pr": line_chart(_lines(numbers), Frame(x_label=_PR[0], y_label=_PR[1])),
    }


def write_charts(name: str, numbers: Numbers, folder: RunFolder) -> None:
    """Write those of the split of that name to figures/; raises StorageUnavailable."""
    write_picture(curves_picture(_lines(numbers), *_PR), folder.figures / f"{name}-pr.png")
    names, shares, _ = _matrix(numbers)
    if names:
        write_picture(matrix_picture(names, shares), folder.figures / f"{name}-confusion.png")


def _frequent(rows: Sequence[Numbers], most: int) -> list[int]:
    """The indices of the classes with the most objects, in their own order."""
    return sorted(sorted(range(len(rows)), key=lambda index: -rows[index]["objects"])[:most])


def _lines(numbers: Numbers) -> list[Line]:
    rows, curves = numbers["classes"], numbers["curves"]
    return [
        Line(
            name=f"{rows[index]['name']}: {score(rows[index]['ap50'])}",
            points=curves[index]["pr"],
            color=tuple(rows[index]["color"]),
        )
        for index in _frequent(rows, SHOWN_AS_CURVES)
    ]


def _matrix(numbers: Numbers) -> tuple[list[str], list[list[float | None]], list[list[str]]]:
    """Names, shares of each row and what is said of each cell, of the most frequent classes and of nothing;
    where there are too many classes to be written, nothing."""
    confusion, rows = numbers["confusion"], numbers["classes"]
    if confusion is None:
        return [], [], []
    shown = [*_frequent(rows, SHOWN_IN_MATRIX), len(rows)]
    names = [*(rows[index]["name"] for index in shown[:-1]), NOTHING]
    counts, all_shares = confusion["counts"], confusion["row_normalised"]
    shares = [[all_shares[row][column] for column in shown] for row in shown]
    tips = [
        [
            f"{true} told to be {told}: {counts[row][column]:,}, {percent(all_shares[row][column])}"
            for column, told in zip(shown, names, strict=True)
        ]
        for row, true in zip(shown, names, strict=True)
    ]
    return names, shares, tips
