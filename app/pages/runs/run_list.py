"""The table of runs: what is filtered, sorted and paged is in its address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from marshmallow import EXCLUDE, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.composition import services
from app.pages.early_head import page_response
from app.pages.runs.run_columns import COLUMNS, chosen, remember
from app.schemas.runs.run_query import SORTS, RunListQuery, default_order
from trainyard.runs.record import ACTIVE, MetricSummary, Run, RunStatus
from trainyard.store.codec import UnreadableRecord
from trainyard.store.runs.run_lists import RunQuery
from trainyard.tasks.registry import architectures

FILTERS = ("status", "project", "text", "tag", "group", "dataset_id", "architecture", "task")
STATUSES = (
    ("", "any status"),
    (",".join(one.value for one in RunStatus if one in ACTIVE), "not ended"),
    *((one.value, one.value) for one in RunStatus),
)
_QUERY = RunListQuery()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A run of the table: its record, the metric that is shown of it, and what that has come to."""

    run: Run
    metric: str
    summary: MetricSummary | None


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A column that sorts: where its link leads, and how the table is sorted by it now, if it is."""

    address: str
    direction: str | None


def add_to(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule("/", "home", _home)
    blueprint.add_url_rule("/runs", "runs", show)


def _home() -> BaseResponse:
    return redirect(f"{request.script_root}/runs")


def show() -> Response:
    """The page of the list that the address asks for; what it cannot mean is said, and left out."""
    response = page_response("runs/runs.html", _found)
    remember(request, response)
    return response


def _found() -> dict[str, Any]:
    given = {name: text for name, text in request.args.items() if text}
    columns = chosen(request)
    if "columns" in given:
        given["columns"] = ",".join(columns) or "none"
    query, wrong = _query(given)
    page = services().runs.page(query)
    rows = rows_of(page.items, query.sort)
    return {
        "rows": rows,
        "columns": columns,
        "all_columns": COLUMNS,
        "datasets": services().datasets.names({row.run.dataset_id for row in rows if isinstance(row, Row)}),
        "given": given,
        "wrong": wrong,
        "statuses": STATUSES,
        "architectures": list(architectures()),
        "sorts": SORTS,
        "query": query,
        "headings": {name: _heading(given, query, name) for name in _sortable(query.sort)},
        "shown": urlencode(
            {name: text for name, text in given.items() if name not in wrong and name != "columns"}
        ),
        "newest": _address({name: text for name, text in given.items() if name != "cursor"}),
        "older": page.next_cursor and _address({**given, "cursor": page.next_cursor}),
    }


def _query(given: Mapping[str, str]) -> tuple[RunQuery, dict[str, str]]:
    """The query, and what is wrong with parameters that were left out of it."""
    try:
        found: RunQuery = _QUERY.load(given, unknown=EXCLUDE)["query"]
    except ValidationError as error:
        wrong = {name: _said(messages) for name, messages in error.messages_dict.items()}
        rest = {name: text for name, text in given.items() if name not in wrong}
        return _QUERY.load(rest, unknown=EXCLUDE)["query"], wrong
    return found, {}


def _said(messages: Any) -> str:
    """Messages of one parameter, which are nested where it is a list."""
    if isinstance(messages, dict):
        return " ".join(_said(one) for one in messages.values())
    return " ".join(messages)


def rows_of(found: Iterable[Run | UnreadableRecord], sort: str) -> list[Row | UnreadableRecord]:
    """Each run with the metric that the list is sorted by, else the one that it is judged by."""
    return [_row(one, sort) for one in found]


def _row(found: Run | UnreadableRecord, sort: str) -> Row | UnreadableRecord:
    if isinstance(found, UnreadableRecord):
        return found
    metric = sort.partition(".")[2] or found.spec.checkpoints.monitor
    return Row(run=found, metric=metric, summary=found.metrics.get(metric))


def _sortable(sort: str) -> Iterable[str]:
    metric = sort.partition(".")[2] or "val_miou"
    return ("created_at", f"best.{metric}", f"last.{metric}")


def _heading(given: Mapping[str, str], query: RunQuery, sort: str) -> Heading:
    """A second click turns the order round."""
    order = default_order(sort)
    is_present = query.sort == sort
    if is_present and query.descending == (order == "desc"):
        order = "asc" if order == "desc" else "desc"
    kept = {name: text for name, text in given.items() if name not in ("cursor", "sort", "order")}
    direction = ("descending" if query.descending else "ascending") if is_present else None
    return Heading(address=_address({**kept, "sort": sort, "order": order}), direction=direction)


def _address(parameters: Mapping[str, str]) -> str:
    return f"{request.script_root}/runs?{urlencode(parameters)}"
