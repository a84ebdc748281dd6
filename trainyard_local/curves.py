"""The curves of an experiment as a picture, drawn anew after each epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_text
from trainyard.tasks.description import Chart, TaskDescription
from workers.training.report.charts import Frame, Line, line_chart

FILE = "curves.svg"
_TRAIN, _VAL = (138, 138, 138), (22, 84, 148)
_COLORS = {"train": _TRAIN, "val": _VAL}
_LOSS = Chart(title="Loss", names=("train_loss", "val_loss"))
_WIDTH, _HEIGHT = 420, 280
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#5d6b7a}.grid{stroke:#e3e8ee}"
    ".curve{fill:none;stroke-width:1.8;stroke-linejoin:round}"
)


def write_curves(folder: RunFolder, rows: Sequence[Mapping[str, Any]], task: TaskDescription) -> None:
    """Write figures/curves.svg: loss and the first scores of the task, of training (grey) and validation
    (blue), by epoch.

    Raises StorageUnavailable.
    """
    charts = [
        Markup('<g transform="translate({} 0)">{}</g>').format(place * _WIDTH, _chart(chart, rows))
        for place, chart in enumerate((_LOSS, *task.charts[:1]))
    ]
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<style>{}</style><rect width="100%" height="100%" fill="#fff"/>'
    ).format(len(charts) * _WIDTH, _HEIGHT, len(charts) * _WIDTH, _HEIGHT, _STYLE)
    write_text(folder.figures / FILE, str(head + Markup("").join(charts) + Markup("</svg>")))


def _chart(chart: Chart, rows: Sequence[Mapping[str, Any]]) -> Markup:
    parts = [(column.partition("_")[0], column) for column in chart.names]
    drawn = [
        Line(
            name=stage,
            points=[(row["epoch"], row[column]) for row in rows if row.get(column) is not None],
            color=_COLORS[stage],
        )
        for stage, column in parts
    ]
    shown = [line for line in drawn if line.points]
    values = [y for line in shown for _, y in line.points] or [0.0]
    epochs = [row["epoch"] for row in rows] or [1]
    frame = Frame(
        x_label="epoch",
        y_label=chart.title,
        x_range=(min(epochs), max(max(epochs), min(epochs) + 1)),
        y_range=(min(0.0, *values), max(values) * 1.05 or 1.0),
        width=_WIDTH,
        height=_HEIGHT,
    )
    return line_chart(shown, frame)
