"""Runs that are saved for later: edited in the form of a new run, submitted, thrown away."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from app.composition import services
from app.pages.early_head import page_response
from app.pages.list_query import asked_for
from app.schemas.fields import PageQuery
from app.service.runs.comparison import dotted
from trainyard.library.draft import Draft
from trainyard.store.codec import UnreadableRecord

_QUERY = PageQuery()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A draft, and the settings that it has of its own, by names with dots."""

    draft: Draft
    settings: dict[str, Any]


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/drafts", "drafts", show)


def show() -> Response:
    """The page of the list that the address asks for; without what the address cannot mean."""
    return page_response("runs/drafts.html", _found)


def _found() -> dict[str, Any]:
    _, query = asked_for(_QUERY)
    page = services().drafts.page(query.get("project"), query.get("cursor"), query["limit"])
    rows = [_row(one) for one in page.items]
    wanted = {str(row.draft.request.get("dataset_id")) for row in rows if isinstance(row, Row)}
    return {
        "rows": rows,
        "datasets": services().datasets.names(wanted),
        "is_first": "cursor" not in query,
        "next_cursor": page.next_cursor,
    }


def _row(found: Draft | UnreadableRecord) -> Row | UnreadableRecord:
    if isinstance(found, UnreadableRecord):
        return found
    return Row(draft=found, settings=dict(dotted(found.request.get("spec") or {})))
