"""The columns of the table of runs that a reader chooses: in the address, and remembered by a cookie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from app.pages.filters import duration, figure
from trainyard.runs.record import Run

COOKIE = "trainyard-columns"
YEAR_S = 365 * 24 * 3600
OWN = ("metric", "project", "dataset")
"""Those that the template writes itself, since they are links; they are shown where nothing was chosen."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """What stands above it, what it has of a run, and whether that is a number."""

    title: str
    value: Callable[[Run], Any] = lambda run: ""
    is_number: bool = False


def _speed(run: Run) -> str:
    found = (run.last_row or {}).get("images_per_second")
    return "–" if found is None else f"{found:.1f}"


COLUMNS: Mapping[str, Column] = {
    "metric": Column(title="Metric"),
    "project": Column(title="Project"),
    "dataset": Column(title="Data set"),
    "group": Column(title="Group", value=lambda run: run.group or "–"),
    "experiment": Column(title="Experiment", value=lambda run: run.experiment or "–"),
    "architecture": Column(title="Architecture", value=lambda run: run.spec.model.architecture),
    "encoder": Column(title="Encoder", value=lambda run: run.spec.model.encoder),
    "rate": Column(
        title="Learning rate", value=lambda run: figure(run.spec.optimization.learning_rate), is_number=True
    ),
    "size": Column(title="Size", value=lambda run: run.spec.data.image_size, is_number=True),
    "batch": Column(title="Batch", value=lambda run: run.spec.data.batch_size, is_number=True),
    "speed": Column(title="Images/s", value=_speed, is_number=True),
    "trained": Column(title="Trained for", value=lambda run: duration(run.used_seconds), is_number=True),
    "attempts": Column(title="Attempts", value=lambda run: len(run.attempts), is_number=True),
    "queue": Column(title="Queue", value=lambda run: run.queue),
    "priority": Column(title="Priority", value=lambda run: run.priority, is_number=True),
    "notes": Column(title="Notes", value=lambda run: run.notes[:200]),
}


def chosen(request: Request) -> Sequence[str]:
    """Names of the columns, in the order of COLUMNS: of the address, else those chosen last; unknown ones are
    left out."""
    asked = request.args.getlist("columns") or [request.cookies.get(COOKIE, ",".join(OWN))]
    names = {name for text in asked for name in text.split(",")}
    return [name for name in COLUMNS if name in names]


def remember(request: Request, response: Response) -> None:
    """Let the browser keep what the address chooses."""
    if "columns" in request.args:
        path = request.script_root or "/"
        response.set_cookie(
            COOKIE, ",".join(chosen(request)), max_age=YEAR_S, path=path, samesite="Strict", httponly=True
        )
