"""What may be asked for, as clients see it."""

from typing import get_args

from marshmallow import Schema, fields, validate
from marshmallow_dataclass import class_schema

from app.schemas.cluster.offers import OfferSchema
from app.schemas.fields import name_field
from app.schemas.runs.spec import SpecSchema
from trainyard.catalog.names import Architecture
from trainyard.tasks.description import Direction


class ArchitecturesSchema(Schema):
    """Every architecture with its rules."""

    items = fields.List(fields.Nested(class_schema(Architecture)))


class EncoderQuery(Schema):
    """Which encoders are wanted."""

    search = name_field("words that a name must hold; all of timm's models are searched too")


class EncodersSchema(Schema):
    """Names of encoders; `total` counts those that match, of which `items` may be the first."""

    items = fields.List(fields.String())
    total = fields.Integer()


class ExperimentSchema(Schema):
    """A ready spec."""

    name = fields.String()
    spec = fields.Nested(SpecSchema)


class ExperimentsSchema(Schema):
    """All ready specs."""

    items = fields.List(fields.Nested(ExperimentSchema))


class TaskSchema(Schema):
    """A learning task: what a spec of it may name."""

    name = fields.String(metadata={"description": "what `task` of a spec says"})
    help = fields.String()
    forms = fields.List(fields.String(), metadata={"description": "what `model.task` may be"})
    architectures = fields.List(fields.String())
    losses = fields.List(fields.String())
    monitors = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(get_args(Direction))),
        metadata={"description": "metrics that may be monitored, and which way is better"},
    )


class CatalogueSchema(Schema):
    """The other names that a spec or a run takes."""

    tasks = fields.List(fields.Nested(TaskSchema))
    losses = fields.List(fields.String())
    optimizers = fields.List(fields.String())
    schedules = fields.List(fields.String())
    precisions = fields.List(fields.String())
    fits = fields.List(fields.String())
    encoder_weights = fields.List(fields.String())
    transforms = fields.List(fields.String())
    transform_parameters = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.String()),
        metadata={"description": "of each transform, what each of its parameters may be, in words"},
    )
    device_classes = fields.List(fields.String())
    presets = fields.List(fields.String())
    plugins = fields.List(
        fields.Nested(OfferSchema), metadata={"description": "what plug-ins of living workers offer besides"}
    )
