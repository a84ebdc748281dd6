"""The data sets, and where one is uploaded."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from app.composition import services
from app.pages.early_head import page_response
from app.pages.list_query import asked_for
from app.schemas.datasets.datasets import DatasetQuery
from trainyard.datasets.record import DatasetStatus

_QUERY = DatasetQuery()


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/datasets", "datasets", show)


def show() -> Response:
    """The page of the list that the address asks for; without what the address cannot mean."""
    return page_response("library/datasets.html", _found)


def _found() -> dict[str, Any]:
    given, query = asked_for(_QUERY)
    page = services().datasets.page(
        query.get("status"), query.get("project"), query.get("cursor"), query["limit"]
    )
    older = page.next_cursor and urlencode({**given, "cursor": page.next_cursor})
    return {
        "page": page,
        "given": given,
        "statuses": [one.value for one in DatasetStatus],
        "older": older and f"{request.script_root}/datasets?{older}",
    }
