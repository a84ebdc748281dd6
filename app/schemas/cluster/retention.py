"""Room on the storage, as admins ask about it and free it."""

from marshmallow import Schema, fields, validate

from app.http.answers.errors import ErrorSchema
from app.schemas.fields import TAG_LENGTH, instant_field, name_field
from app.service.cluster.retention import ENDED
from trainyard.tasks.registry import monitors


class UsageQuery(Schema):
    """Whose room is asked about."""

    project = name_field("only of this project")
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=1000))


class UsageSchema(Schema):
    """What the files of one record take."""

    id = fields.String()
    kind = fields.String(validate=validate.OneOf(["run", "dataset", "model"]))
    project = fields.String()
    name = fields.String()
    bytes = fields.Integer()


class UsagesSchema(Schema):
    """Those that take most, largest first."""

    items = fields.List(fields.Nested(UsageSchema))


class PruneSchema(Schema):
    """Which runs are to be deleted. Nothing is unless `dry_run` is false."""

    older_than_days = fields.Float(
        required=True,
        validate=validate.Range(min=0, max=36_500),
        metadata={"description": "ended longer ago than this"},
    )
    statuses = fields.List(
        fields.String(validate=validate.OneOf([status.value for status in ENDED])),
        load_default=[status.value for status in ENDED],
        validate=validate.Length(min=1),
    )
    project = name_field("only of this project")
    keep_best = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(min=0, max=200),
        metadata={"description": "of each project keep so many, the best by `metric` whatever their age"},
    )
    metric = fields.String(load_default=next(iter(monitors())), validate=validate.OneOf([*monitors()]))
    keep_tags = fields.List(
        fields.String(validate=validate.Length(min=1, max=TAG_LENGTH)),
        load_default=[],
        metadata={"description": "keep runs that have one of these"},
    )
    limit = fields.Integer(
        load_default=200,
        strict=True,
        validate=validate.Range(min=1, max=1000),
        metadata={"description": "runs at most in one request"},
    )
    dry_run = fields.Boolean(load_default=True, metadata={"description": "only say what would be deleted"})


class PrunedRunSchema(Schema):
    """A run that was deleted, or would be."""

    id = fields.String()
    project = fields.String()
    name = fields.String()
    status = fields.String()
    ended_at = instant_field("when it ended")
    bytes = fields.Integer(metadata={"description": "of its files"})
    error = fields.Nested(
        ErrorSchema, allow_none=True, metadata={"description": "why it is still there; null where it is not"}
    )


class PrunedSchema(Schema):
    """Runs, oldest end first."""

    dry_run = fields.Boolean()
    bytes = fields.Integer(metadata={"description": "of all of them"})
    more = fields.Boolean(metadata={"description": "others are to be deleted besides: ask again"})
    items = fields.List(fields.Nested(PrunedRunSchema))
