"""Trained models: names, versions and stages, and where a run is registered."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from app.composition import services
from app.pages.early_head import page_response
from app.pages.library.model_scores import score_of
from app.pages.list_query import asked_for
from app.schemas.models.trained_models import STAGES, ModelListQuery
from trainyard.runs.record import Run, RunStatus
from trainyard.store.runs.run_lists import RunQuery

CANDIDATES = 100
"""Completed runs, the newest, that the form offers."""
_QUERY = ModelListQuery()


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/models", "models", show)


def show() -> Response:
    """The page of the list that the address asks for; without what the address cannot mean."""
    return page_response("library/models.html", _found)


def _found() -> dict[str, Any]:
    given, query = asked_for(_QUERY)
    page = services().models.page(query)
    older = page.next_cursor and urlencode({**given, "cursor": page.next_cursor})
    return {
        "page": page,
        "given": given,
        "stages": STAGES,
        "score_of": score_of,
        "candidates": _candidates(),
        "older": older and f"{request.script_root}/models?{older}",
    }


def _candidates() -> list[Run]:
    """Runs that can be registered, the newest first."""
    page = services().runs.page(RunQuery(statuses=(RunStatus.COMPLETED.value,), limit=CANDIDATES))
    return [run for run in page.readable if (run.result or {}).get("export")]
