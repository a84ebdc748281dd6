"""The projects, and one of them: what it is for, what it has, its best runs beside each other."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request

from app.composition import services
from app.pages.early_head import page_response
from app.pages.list_query import asked_for
from app.pages.runs.chart_groups import charts_of
from app.pages.runs.run_list import rows_of
from app.schemas.cluster.projects import ProjectQuery
from app.service.cluster.projects import ProjectState
from trainyard.errors import NotFound
from trainyard.runs.record import Run
from trainyard.store.runs.run_lists import RunQuery
from trainyard.tasks.registry import direction_of, monitors

BEST = 8
"""Runs whose curves are drawn; so many colours there are."""
NEWEST = 10
_QUERY = ProjectQuery()


def add_to(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule("/projects", "projects", show_all)
    blueprint.add_url_rule("/projects/<path:name>", "project", show)


def show_all() -> Response:
    """The page of the list that the address asks for."""
    return page_response("cluster/projects.html", _found)


def _found() -> dict[str, Any]:
    _, query = asked_for(_QUERY)
    page = services().projects.page(query.get("cursor"), query["limit"])
    return {"page": page, "is_first": "cursor" not in query}


def show(name: str) -> Response:
    """The page of a project; raises NotFound for one of which nothing is there."""
    project = services().projects.get(name)
    if not _is_there(project):
        raise NotFound(f"There is no project {name!r}.")
    return page_response("cluster/project.html", lambda: _found_of(name), project=project)


def _found_of(name: str) -> dict[str, Any]:
    runs = services().runs
    newest = runs.page(RunQuery(project=name, limit=NEWEST))
    metric = _metric(newest.readable)
    descending = direction_of(metric) == "max"
    best = runs.page(RunQuery(project=name, sort=f"best.{metric}", descending=descending, limit=BEST))
    shown = [run for run in best.readable if metric in run.metrics]
    return {
        "metric": metric,
        "metrics": list(monitors()),
        "best": shown,
        "charts": charts_of(run.spec.task for run in shown),
        "rows": rows_of(newest.items, "created_at"),
    }


def _metric(newest: Sequence[Run]) -> str:
    """By which the best runs are listed: as asked, else what the newest run is judged by."""
    asked = request.args.get("metric")
    if asked in monitors():
        return str(asked)
    return next((run.spec.checkpoints.monitor for run in newest), next(iter(monitors())))


def _is_there(project: ProjectState) -> bool:
    return project.created_at is not None or project.newest_at is not None
