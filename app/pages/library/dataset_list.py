"""The data sets, and where one is uploaded."""

from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from app.composition import services
from app.pages.list_query import asked_for
from app.schemas.datasets.datasets import DatasetQuery
from trainyard.datasets.record import DatasetStatus

_QUERY = DatasetQuery()


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/datasets", "datasets", show)


def show() -> str:
    """The page of the list that the address asks for; without what the address cannot mean."""
    given, query = asked_for(_QUERY)
    page = services().datasets.page(
        query.get("status"), query.get("project"), query.get("cursor"), query["limit"]
    )
    older = page.next_cursor and urlencode({**given, "cursor": page.next_cursor})
    return render_template(
        "library/datasets.html",
        page=page,
        given=given,
        statuses=[one.value for one in DatasetStatus],
        older=older and f"{request.script_root}/datasets?{older}",
    )
