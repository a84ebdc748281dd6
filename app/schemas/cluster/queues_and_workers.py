"""Queues and workers as clients see them."""

from typing import Any

from marshmallow import Schema, fields, pre_dump

from app.schemas.cluster.offers import OfferSchema
from app.schemas.fields import instant_field
from app.service.cluster.queues_and_workers import ProjectWaiting
from trainyard.scheduling.waiting import MESSAGES, Reason


class ReasonSchema(Schema):
    """Why something waits."""

    code = fields.Enum(Reason, by_value=True)
    message = fields.String()


class PredictedStartSchema(Schema):
    """When a run may start, if none is added, stopped or moved before."""

    earliest = instant_field("if all before it are as fast as their fastest epochs")
    latest = instant_field("if all before it are as slow as their slowest epochs")


class WaitingSchema(Schema):
    """The place of a run that waits, to be trained or to be finished, and why it does."""

    position = fields.Integer(
        metadata={"description": "1 for the next to be taken; what a limit holds up comes after all others"}
    )
    reason = fields.Nested(ReasonSchema)
    predicted_start = fields.Nested(
        PredictedStartSchema,
        allow_none=True,
        metadata={
            "description": "null of a finishing run, and while what trains cannot tell how long it will take"
        },
    )


class ProjectWaitingSchema(Schema):
    """What waits of a project in a queue."""

    project = fields.String()
    waiting = fields.Integer()
    running = fields.Integer(metadata={"description": "what it has in work, in all queues"})
    limit = fields.Integer(allow_none=True, metadata={"description": "how much it may have in work"})
    reason = fields.Nested(ReasonSchema, metadata={"description": "why its first waits"})

    @pre_dump
    def flatten(self, found: ProjectWaiting, **_: Any) -> dict[str, Any]:
        """The share's fields and the reason beside them."""
        reason = {"code": found.reason, "message": MESSAGES[found.reason]}
        return {**vars(found.share), "reason": reason}


class QueueSchema(Schema):
    """A queue: a device class that runs wait for, `finish` of trained runs that owe their results, or
    `ingest` of data sets."""

    name = fields.String()
    workers = fields.List(fields.String(), metadata={"description": "ids of those that serve it"})
    idle = fields.Integer(metadata={"description": "how many of them have nothing to do"})
    in_work = fields.List(fields.String(), metadata={"description": "what the others work on"})
    waiting = fields.Integer()
    projects = fields.List(fields.Nested(ProjectWaitingSchema))


class QueuesSchema(Schema):
    """Every queue."""

    items = fields.List(fields.Nested(QueueSchema))


class DeviceFiguresSchema(Schema):
    """What a GPU does at the moment, or the machine of a worker without; null for what is not told."""

    name = fields.String()
    memory_used_bytes = fields.Integer(allow_none=True)
    memory_total_bytes = fields.Integer(metadata={"description": "0 where it cannot be told"})
    utilization = fields.Float(allow_none=True, metadata={"description": "how busy it is, 0 to 1"})
    temperature_c = fields.Float(allow_none=True, metadata={"description": "degrees Celsius"})


class WorkerSchema(Schema):
    """A worker that has given a sign of life in the last seconds."""

    id = fields.String(metadata={"description": "`owner` of the run that it trains or finishes"})
    host = fields.String()
    pid = fields.Integer()
    queues = fields.List(
        fields.String(),
        metadata={"description": "device classes it serves and `finish`, `finish` alone, or `ingest`"},
    )
    device = fields.String(metadata={"description": "name of its GPU, or of the machine's processor"})
    memory_bytes = fields.Integer(
        metadata={"description": "of the GPU, or of the machine; 0 where it cannot be told"}
    )
    figures = fields.List(
        fields.Nested(DeviceFiguresSchema),
        metadata={"description": "of each GPU, or of the machine; empty before the first are told"},
    )
    offers = fields.List(fields.Nested(OfferSchema), metadata={"description": "what its plug-ins have"})
    versions = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "of Trainyard, Python and what it computes with; empty of older ones"},
    )
    started_at = instant_field("when the worker started")
    holds = fields.String(allow_none=True, metadata={"description": "the run or data set in work"})
    attempt = fields.Integer(allow_none=True, metadata={"description": "the number of its attempt at that"})
    since = instant_field("since when it has that in work")
    finishing = fields.String(
        allow_none=True, metadata={"description": "the trained run whose results it writes beside that"}
    )
    housekeeping_at = instant_field("when its housekeeping last came round; null before the first time")
    is_stalled = fields.Boolean(
        metadata={"description": "its housekeeping has not come round for a minute: look at its machine"}
    )
    is_drained = fields.Boolean(
        metadata={"description": "it takes nothing new, and serves no queue, until its drain is ended"}
    )
    unreadable = fields.String(
        allow_none=True,
        metadata={"description": "why what it says of itself cannot be read; only its id is known then"},
    )


class WorkersSchema(Schema):
    """Every worker."""

    items = fields.List(fields.Nested(WorkerSchema))
