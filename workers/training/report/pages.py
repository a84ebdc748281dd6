"""What pages of all tasks' reports have alike: their style, how numbers are written, curves of learning."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from workers.training.report.charts import Frame, Line, line_chart
from workers.training.report.learning import Learning

_TRAIN_COLOR, _VAL_COLOR = (150, 150, 150), (22, 84, 148)
_RATE, _LOSS = "learning rate", "loss"


def page_template(path: Path) -> Template:
    """The template of a page, which may include the parts beside this module; with the filters score, percent
    and seconds."""
    # Everything but our own SVG, which escapes by itself, is escaped by the template.
    environment = Environment(
        loader=FileSystemLoader([path.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"score": score, "percent": percent, "seconds": seconds}
    return environment.get_template(path.name)


_CURVES = ("validation", "training")


class LearningChart(NamedTuple):
    """A chart, and which of `training` and `validation` it has curves of; none where it is of neither."""

    svg: Markup
    curves: tuple[str, ...]


def learning_charts(learning: Learning, scores: Mapping[str, str]) -> dict[str, LearningChart]:
    """Loss, scores and learning rate over epochs; a chart without any point is left out.

    `scores` are names of metrics by their titles, which go from 0 to 1.
    """
    columns = {_LOSS: "loss", **scores}
    wanted = {
        label: [("training", f"train_{name}", _TRAIN_COLOR), ("validation", f"val_{name}", _VAL_COLOR)]
        for label, name in columns.items()
    }
    charts: dict[str, LearningChart] = {}
    for label, curves in {**wanted, _RATE: [("", "lr", _VAL_COLOR)]}.items():
        lines = [
            Line(name=name or label, points=learning.curves[column], color=color)
            for name, column, color in curves
            if learning.curves.get(column)
        ]
        if lines:
            svg = line_chart(lines, _frame_of(lines, label, is_score=label in scores))
            named = {name for name, column, _ in curves if learning.curves.get(column)}
            charts[label] = LearningChart(svg, tuple(name for name in _CURVES if name in named))
    return charts


def _frame_of(lines: list[Line], label: str, *, is_score: bool) -> Frame:
    epochs = [x for line in lines for x, _ in line.points]
    highest = 1.0 if is_score else max(y for line in lines for _, y in line.points)
    lowest = min(0.0, *(y for line in lines for _, y in line.points), 0.0)
    return Frame(
        x_label="epoch",
        y_label=label,
        x_range=(min(epochs), max(epochs)),
        y_range=(lowest, highest),
        width=310,
        height=220,
    )


def score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def seconds(value: float | None) -> str:
    """Seconds as a person says them."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
