"""Runs beside each other: their curves in the same charts, what differs in their settings, their pictures."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from app.composition import services
from app.pages.chart_groups import charts_of
from app.service.runs.comparison import Comparison
from trainyard.errors import NotFound

MOST = 20
"""Runs whose curves can still be told apart."""
OVERLAY = "figures/overlay.png"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The validation images of a run under its masks: who made it, and when, in seconds since 1970."""

    run_id: str
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
        "compare.html",
        found=found,
        left_out=max(0, len(asked) - MOST),
        pictures=_pictures(found),
        charts=charts_of(run.spec.task for run in found.runs),
    )


def _pictures(found: Comparison) -> list[Picture]:
    pictures = []
    for run in found.runs:
        try:
            path = services().run_files.artifact(run.id, OVERLAY)
        except NotFound:
            continue
        pictures.append(Picture(run_id=run.id, name=run.name, modified=int(path.stat().st_mtime)))
    return pictures
