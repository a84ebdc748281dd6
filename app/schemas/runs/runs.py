"""Runs as clients send and see them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_dump, validate, validates_schema
from marshmallow_dataclass import class_schema

from app.schemas.cluster.queues_and_workers import WaitingSchema
from app.schemas.fields import (
    device_class_field,
    group_field,
    instant_field,
    max_hours_field,
    name_field,
    notes_field,
    priority_field,
    tags_field,
)
from app.schemas.runs.metric_fields import metrics_field, row_field
from app.schemas.runs.spec import PartialSpecSchema, SpecSchema, epochs_field
from app.service.runs.runs import RunState
from trainyard.runs.events import Progress
from trainyard.runs.imported import Imported
from trainyard.runs.record import AttemptRecord, ForkedFrom, ReopenedBy, Run, RunStatus
from trainyard.runs.signals import Signals

PREFIX = "/api/v1/runs"


class RunRequestSchema(Schema):
    """A run that is asked for."""

    dataset_id = fields.String(
        required=True, validate=validate.Length(max=100), metadata={"description": "id of a ready data set"}
    )
    experiment = fields.String(
        validate=validate.Length(max=100),
        metadata={
            "description": "a name out of GET /experiments, or of GET /saved-experiments of the run's project"
        },
    )
    spec = fields.Nested(
        PartialSpecSchema, metadata={"description": "laid over the experiment, and that over the defaults"}
    )
    name = name_field("name of the run")
    project = name_field("project it belongs to; the data set's where it is left out")
    notes = notes_field()
    tags = tags_field()
    group = group_field()
    priority = priority_field()
    max_hours = max_hours_field()
    device_class = device_class_field(
        "what it is to be trained on; the cluster's first class where it is left out"
    )


class RunChangeSchema(Schema):
    """What may be changed of a run."""

    epochs = epochs_field()
    name = name_field("name of the run")
    notes = notes_field()
    tags = tags_field()
    group = group_field(allow_none=True)
    priority = priority_field()
    max_hours = max_hours_field()
    dataset_id = fields.String(
        validate=validate.Length(max=100),
        metadata={
            "description": "a data set with the content that the run was trained on, where its own is not "
            "here: of a run that was handed over, or whose set was deleted"
        },
    )

    @validates_schema
    def not_empty(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not data:
            raise ValidationError(f"Give at least one of: {', '.join(sorted(self.fields))}.")


class StopSchema(Schema):
    """When a run is to stop."""

    when = fields.String(
        load_default="now",
        validate=validate.OneOf(["now", "epoch"]),
        metadata={"description": "`now`: after the present batch; `epoch`: after the present epoch"},
    )


class MoveSchema(Schema):
    """Where a queued run is to go."""

    to = fields.String(
        validate=validate.OneOf(["front"]),
        metadata={"description": "`front`: before all others of its project, device class and priority"},
    )
    before = fields.String(metadata={"description": "id of one of these, right before which it is to go"})
    after = fields.String(metadata={"description": "id of one of these, right after which it is to go"})

    @validates_schema
    def one_place(self, body: dict[str, Any], **_: Any) -> None:
        """Exactly one of them is given."""
        if len(body) != 1:
            raise ValidationError("One of `to`, `before` and `after` is needed.", "to")


class RunLinks(Schema):
    """Where a run's parts are."""

    metrics = fields.String()
    events = fields.String()
    log = fields.String()
    checkpoints = fields.String()
    artifacts = fields.String()


class AttemptSchema(class_schema(AttemptRecord)):  # type: ignore[misc]
    """One worker's try at a run."""

    attempt = fields.Integer(metadata={"description": "counted from 1; the run's `fence` while it lasts"})
    started_at = instant_field("when it began")
    ended_at = instant_field("when it ended")
    finishing = fields.Boolean(metadata={"description": "it wrote results of what earlier ones trained"})
    reason = fields.String(
        allow_none=True,
        metadata={
            "description": "trained, completed, stopped, cancelled, drained, fenced, retargeted, or the code "
            "of an error"
        },
    )


class ImportedSchema(class_schema(Imported)):  # type: ignore[misc]
    """An experiment as it was where it was trained, by what its files say."""

    created_at = instant_field("when it was made there")


class RunSchema(Schema):
    """A run's record."""

    id = fields.String()
    project = fields.String()
    name = fields.String()
    notes = fields.String()
    tags = fields.List(fields.String())
    group = fields.String(allow_none=True)
    dataset_id = fields.String()
    dataset_hash = fields.String()
    experiment = fields.String(allow_none=True)
    spec = fields.Nested(SpecSchema)
    status = fields.Enum(
        RunStatus,
        by_value=True,
        metadata={
            "description": "`finishing`: it is trained and its device is free; its report and exported files "
            "are being written, or wait for that (`waiting`)"
        },
    )
    revision = fields.Integer()
    queue = fields.String(metadata={"description": "the device class it waits for"})
    priority = fields.Integer()
    interrupted = fields.Boolean(
        metadata={"description": "it waits to go on after its worker was lost or shut down: it goes first"}
    )
    fence = fields.Integer(metadata={"description": "attempts begun"})
    crashes = fields.Integer(
        metadata={"description": "attempts that were lost or broke; some are tried again"}
    )
    attempts = fields.List(
        fields.Nested(AttemptSchema), metadata={"description": "the newest ones, in order"}
    )
    owner = fields.String(allow_none=True, metadata={"description": "the worker that trains or finishes it"})
    created_at = instant_field("when it was accepted")
    started_at = instant_field("when its present attempt began")
    ended_at = instant_field("when it ended")
    epochs = fields.Integer(metadata={"description": "the present target"})
    epoch = fields.Integer(metadata={"description": "epochs finished"})
    step = fields.Integer(metadata={"description": "optimizer steps finished"})
    max_hours = max_hours_field()
    used_seconds = fields.Float(metadata={"description": "how long all attempts together have trained"})
    notices = fields.List(fields.String())
    metrics = metrics_field()
    best_row = row_field("metrics of the epoch that is best by spec.checkpoints.monitor")
    last_row = row_field("metrics of the newest epoch")
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    forked_from = fields.Nested(
        class_schema(ForkedFrom),
        allow_none=True,
        metadata={"description": "the checkpoint a fork began with, and how much of it fitted"},
    )
    imported = fields.Nested(
        ImportedSchema,
        allow_none=True,
        metadata={"description": "of a run that was trained elsewhere and handed over: what it was there"},
    )
    reopened_by = fields.Enum(
        ReopenedBy,
        by_value=True,
        allow_none=True,
        metadata={"description": "what brought it back into its queue after it had ended"},
    )
    result = fields.Dict(
        allow_none=True,
        metadata={"description": "what training came to, and once it is completed the exported file"},
    )
    error = fields.Dict(
        allow_none=True,
        metadata={
            "description": "why it failed: code, cause (user or infrastructure), message, remedy, errors, "
            "the attempt, the last lines of its log and its peak of memory in bytes"
        },
    )
    links = fields.Nested(RunLinks)

    @pre_dump
    def flatten(self, found: Run | RunState, **_: Any) -> dict[str, Any]:
        """The record's fields, what is quick about it beside them, and the links."""
        quick = vars(found) if isinstance(found, RunState) else {}
        run = found.run if isinstance(found, RunState) else found
        return {**vars(run), **quick, "links": run_links(run.id)}


class CheckedRunSchema(RunSchema):
    """What a run would be that is submitted as asked."""

    class Meta:
        fields = (
            "project", "name", "notes", "tags", "group", "dataset_id", "dataset_hash", "experiment", "spec",
            "queue", "priority", "epochs", "max_hours", "notices",
        )  # fmt: skip


class RunStateSchema(RunSchema):
    """A run's record with what is quick about it."""

    progress = fields.Nested(class_schema(Progress), allow_none=True)
    signals = fields.Nested(
        class_schema(Signals), exclude=("drain",), metadata={"description": "what is wished of the run"}
    )
    dataset_deleted = fields.Boolean(metadata={"description": "whether its data set has been deleted"})
    waiting = fields.Nested(
        WaitingSchema, allow_none=True, metadata={"description": "null when it does not wait"}
    )


def run_links(run_id: str) -> dict[str, str]:
    """Addresses of the parts of a run, without the host."""
    return {part: f"{PREFIX}/{run_id}/{part}" for part in RunLinks._declared_fields}
