"""Which runs a client wants listed, in which order, and what of them."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate
from webargs.fields import DelimitedList

from app.schemas.fields import MAX_TAGS, TAG_LENGTH, PageQuery, name_field
from app.schemas.runs.run_list import ITEM_FIELDS
from trainyard.runs.record import RunStatus
from trainyard.store.runs.run_lists import CREATED_AT, RunQuery
from trainyard.tasks.registry import forms, monitors

TIMES = (CREATED_AT, "started_at", "ended_at")
SORTS = (*TIMES, *(f"{which}.{metric}" for which in ("best", "last") for metric in monitors()))
TEXT_LENGTH = 200


class InstantArgument(fields.Field[float]):
    """ISO 8601, UTC where no zone is named, as seconds since 1970."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        try:
            found = datetime.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Must be a time as ISO 8601, such as 2026-01-31T12:00:00Z.") from error
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def instant_argument(help: str) -> InstantArgument:
    return InstantArgument(metadata={"type": "string", "format": "date-time", "description": help})


def text_argument(help: str, length: int = 100) -> fields.String:
    """Text that runs are looked for by; what no run can have finds none."""
    return fields.String(validate=validate.Length(min=1, max=length), metadata={"description": help})


class RunListQuery(PageQuery):
    """Filters, all of which a run must meet, an order, and the fields that are wanted."""

    cursor = fields.String(
        validate=validate.Regexp(
            r"[vu]~-?(?:inf|[0-9.]{1,25}(?:e-?[0-9]{1,3})?)~[\w-]{0,60}\Z",
            error="Not a cursor that a list gave as next_cursor.",
        ),
        metadata={"description": "next_cursor of the page before, asked for with the same filters and order"},
    )
    status = DelimitedList(
        fields.String(validate=validate.OneOf([status.value for status in RunStatus])),
        validate=validate.Length(min=1, max=len(RunStatus)),
        metadata={"description": "one of these, separated by commas"},
    )
    task = fields.String(validate=validate.OneOf(forms()))
    architecture = text_argument("spec.model.architecture")
    dataset_id = text_argument("the data set it trains or trained on")
    group = name_field("the group it belongs to")
    tag = DelimitedList(
        fields.String(validate=validate.Length(min=1, max=TAG_LENGTH)),
        validate=validate.Length(min=1, max=MAX_TAGS),
        metadata={"description": "all of these, separated by commas"},
    )
    created_after = instant_argument("accepted later than this")
    created_before = instant_argument("accepted earlier than this")
    text = text_argument("part of its id, name, notes, tags or group, whatever its case", TEXT_LENGTH)
    sort = fields.String(
        load_default=CREATED_AT,
        validate=validate.OneOf(SORTS),
        metadata={
            "description": "a time, or the best or newest value of a metric; runs without one come last, "
            "newest first"
        },
    )
    order = fields.String(
        validate=validate.OneOf(["asc", "desc"]),
        metadata={"description": "by default the newest first, and the best of a metric: the lowest loss"},
    )
    fields_ = DelimitedList(
        fields.String(validate=validate.OneOf(sorted(ITEM_FIELDS))),
        data_key="fields",
        validate=validate.Length(min=1),
        metadata={"description": "what each item is to have, separated by commas; all where it is left out"},
    )

    format = fields.String(
        load_default="json",
        validate=validate.OneOf(["json", "csv"]),
        metadata={"description": "`csv`: a table of what lists show, with best and last of each metric"},
    )

    @post_load
    def as_query(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """`query`, the names of `fields` or None, and the `format`."""
        order = data.get("order") or default_order(data["sort"])
        query = RunQuery(
            statuses=tuple(data.get("status", ())),
            project=data.get("project"),
            task=data.get("task"),
            architecture=data.get("architecture"),
            dataset_id=data.get("dataset_id"),
            group=data.get("group"),
            tags=tuple(data.get("tag", ())),
            created_after=data.get("created_after"),
            created_before=data.get("created_before"),
            text=data.get("text"),
            sort=data["sort"],
            descending=order == "desc",
            cursor=data.get("cursor"),
            limit=data["limit"],
        )
        return {"query": query, "fields": data.get("fields_"), "format": data["format"]}


def default_order(sort: str) -> str:
    """`desc` for times, and what puts the best value first for a metric."""
    direction = monitors().get(sort.partition(".")[2], "max")
    return "desc" if direction == "max" else "asc"
