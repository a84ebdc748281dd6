"""Items of the list of runs, put together by hand: lists are asked for often, and long."""

from collections.abc import Collection, Mapping
from typing import Any

from flask import json
from marshmallow import Schema, fields

from app.schemas.fields import UNREADABLE, instant_field, iso, max_hours_field
from app.schemas.made_of import MadeOf
from app.schemas.runs.metric_fields import metrics_field, row_field
from app.schemas.runs.runs import RunLinks, run_links
from trainyard.runs.record import ReopenedBy, Run, RunStatus
from trainyard.store.codec import UnreadableRecord
from trainyard.store.known import KEPT
from trainyard.store.records import Page

_AS_THEY_ARE = (
    "id", "project", "name", "dataset_id", "experiment", "status", "revision", "queue", "priority",
    "interrupted", "fence", "crashes", "owner", "epochs", "epoch", "step", "max_hours", "used_seconds",
    "tags", "group", "labels", "reopened_by", "best_row", "last_row",
)  # fmt: skip
_TIMES = ("created_at", "started_at", "ended_at")
_OF_AN_ERROR = ("code", "cause", "message", "remedy", "attempt")
_OF_A_RESULT = ("best_epoch", "images_per_second")


class RunItemSchema(Schema):
    """A run as lists show it; GET /runs/{id} has the whole record."""

    id = fields.String()
    project = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    tags = fields.List(fields.String())
    group = fields.String(allow_none=True)
    dataset_id = fields.String()
    experiment = fields.String(allow_none=True)
    task = fields.String(metadata={"description": "spec.model.task"})
    architecture = fields.String(metadata={"description": "spec.model.architecture"})
    encoder = fields.String(metadata={"description": "spec.model.encoder"})
    status = fields.String(
        metadata={"enum": [*(one.value for one in RunStatus), UNREADABLE]},
    )
    unreadable = fields.String(
        allow_none=True,
        metadata={
            "description": "why the record cannot be read; all that is not known of it is null then, and it "
            "can be deleted"
        },
    )
    revision = fields.Integer()
    queue = fields.String(metadata={"description": "the device class it waits for"})
    priority = fields.Integer()
    interrupted = fields.Boolean()
    fence = fields.Integer(metadata={"description": "attempts begun"})
    crashes = fields.Integer()
    owner = fields.String(allow_none=True, metadata={"description": "the worker that trains or finishes it"})
    created_at = instant_field("when it was accepted")
    started_at = instant_field("when its present attempt began")
    ended_at = instant_field("when it ended")
    epochs = fields.Integer(metadata={"description": "the present target"})
    epoch = fields.Integer(metadata={"description": "epochs finished"})
    step = fields.Integer(metadata={"description": "optimizer steps finished"})
    max_hours = max_hours_field()
    used_seconds = fields.Float()
    metrics = metrics_field()
    best_row = row_field("metrics of the epoch that is best by spec.checkpoints.monitor")
    last_row = row_field("metrics of the newest epoch")
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    reopened_by = fields.Enum(ReopenedBy, by_value=True, allow_none=True)
    forked_from = fields.Dict(allow_none=True, metadata={"description": "`run_id` and `checkpoint`"})
    result = fields.Dict(
        allow_none=True,
        metadata={"description": "best_epoch, its metrics but those of single classes, images_per_second"},
    )
    error = fields.Dict(allow_none=True, metadata={"description": "code, cause, message, remedy, attempt"})
    links = fields.Nested(RunLinks)


ITEM_FIELDS = frozenset(RunItemSchema._declared_fields)
_NOTHING: dict[str, Any] = dict.fromkeys(RunItemSchema._declared_fields)


def run_page(page: Page[Run], wanted: Collection[str] | None = None) -> str:
    """The page as JSON, as the schema above says; of each item but the `wanted` fields where given."""
    if wanted is None:
        items = [_item_text(one) for one in page.items]
    else:
        items = [json.dumps(_some(run_item(one), wanted)) for one in page.items]
    return f'{{"items":[{",".join(items)}],"next_cursor":{json.dumps(page.next_cursor)}}}\n'


def _some(item: dict[str, Any], wanted: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in wanted}


def run_item(found: Run | UnreadableRecord) -> dict[str, Any]:
    if isinstance(found, UnreadableRecord):
        told = {"id": found.id, "project": found.project, "name": found.name, "links": run_links(found.id)}
        return {**_NOTHING, **told, "status": UNREADABLE, "unreadable": found.problem}
    item = {name: getattr(found, name) for name in _AS_THEY_ARE}
    for name in _TIMES:
        at = getattr(found, name)
        item[name] = None if at is None else iso(at)
    origin = found.forked_from
    return {
        **item,
        "task": found.spec.model.task,
        "architecture": found.spec.model.architecture,
        "encoder": found.spec.model.encoder,
        "unreadable": None,
        "metrics": {name: vars(one) for name, one in found.metrics.items()},
        "forked_from": origin and {"run_id": origin.run_id, "checkpoint": origin.checkpoint},
        "result": found.result and _result(found.result),
        "error": found.error and {name: found.error.get(name) for name in _OF_AN_ERROR},
        "links": run_links(found.id),
    }


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    best = {name: value for name, value in (result.get("best") or {}).items() if "/" not in name}
    return {**{name: result.get(name) for name in _OF_A_RESULT}, "best": best}


_item_text = MadeOf[Run | UnreadableRecord, str](lambda one: json.dumps(run_item(one)), KEPT)
