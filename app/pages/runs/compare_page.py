"""Runs beside each other: their curves in the same charts, what differs in their settings, their pictures."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from app.composition import services
from app.pages.runs.chart_groups import charts_of
from app.service.runs.comparison import Comparison

MOST = 20
"""Runs whose curves can still be told apart."""
PICTURES = {
    "figures/overlay.png": "Validation images",
    "figures/val-confusion.png": "Confusion of classes on validation",
}
"""Files that runs have alike, with what they show."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that a run has: whose it is, where, and when it was made, in seconds since 1970."""

    run_id: str
    path: str
    name: str
    modified: int


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/runs/compare", "compare", show)


def show() -> str:
    """The page of the runs that `ids` names, the first twenty of them; raises NotFound."""
    asked = list(dict.fromkeys(filter(None, request.args.get("ids", "").split(","))))
    found = services().comparison.compare(asked[:MOST])
    return render_template(
        "runs/compare.html",
        found=found,
        left_out=asked[MOST:],
        most=MOST,
        pictures={title: _pictures(found, path) for path, title in PICTURES.items()},
        charts=charts_of(run.spec.task for run in found.runs),
    )


def _pictures(found: Comparison, file: str) -> list[Picture]:
    """Of the runs that have that file."""
    pictures = []
    for run in found.runs:
        modified = services().run_files.modified(run, file)
        if modified is not None:
            pictures.append(Picture(run_id=run.id, path=file, name=run.name, modified=int(modified)))
    return pictures
