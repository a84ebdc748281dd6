"""Runs beside each other: their curves in the same charts, what differs in their settings, their pictures."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from app.composition import services
from app.pages.early_head import page_response
from app.pages.runs.chart_groups import charts_of
from app.service.runs.comparison import Comparison
from trainyard.errors import NotFound, Unreadable

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


def show() -> Response:
    """The page of the runs that `ids` names, the first twenty of them; those that are gone are named."""
    return page_response("runs/compare.html", _found)


def _found() -> dict[str, Any]:
    asked = list(dict.fromkeys(filter(None, request.args.get("ids", "").split(","))))
    found, gone = _comparison(asked[:MOST])
    return {
        "found": found,
        "gone": gone,
        "left_out": asked[MOST:],
        "most": MOST,
        "pictures": {title: _pictures(found, path) for path, title in PICTURES.items()},
        "charts": charts_of(run.spec.task for run in found.runs),
    }


def _comparison(ids: list[str]) -> tuple[Comparison, dict[str, str]]:
    """Of the runs that can be read, and why the others cannot."""
    comparison = services().comparison
    try:
        return comparison.compare(ids), {}
    except (NotFound, Unreadable):
        gone = {run_id: why for run_id in ids if (why := _why_not(run_id))}
        return comparison.compare([one for one in ids if one not in gone]), gone


def _why_not(run_id: str) -> str | None:
    try:
        services().runs.get(run_id)
    except (NotFound, Unreadable) as error:
        return error.message
    return None


def _pictures(found: Comparison, file: str) -> list[Picture]:
    """Of the runs that have that file."""
    pictures = []
    for run in found.runs:
        if services().hidden_pictures.covers_file(run.project, file):
            continue
        modified = services().run_files.modified(run, file)
        if modified is not None:
            pictures.append(Picture(run_id=run.id, path=file, name=run.name, modified=int(modified)))
    return pictures
