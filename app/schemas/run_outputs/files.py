"""A run's files as clients see them."""

from marshmallow import Schema, fields, validate

from app.schemas.fields import instant_field


class MetricsQuery(Schema):
    """In which form metrics are wanted."""

    format = fields.String(
        validate=validate.OneOf(["json", "csv"]),
        metadata={"description": "by default as the Accept header says, JSON where it does not care"},
    )


def _version() -> fields.String:
    return fields.String(
        validate=validate.Length(max=100),
        metadata={"description": "says nothing: an address of another version is not taken from a cache"},
    )


class OverlayQuery(Schema):
    """What a picture of an epoch is asked for."""

    version = _version()


class ArtifactQuery(Schema):
    """What a file is asked for."""

    disposition = fields.String(
        load_default="attachment",
        validate=validate.OneOf(["attachment", "inline"]),
        metadata={
            "description": "`inline`: pictures, reports and texts are to be looked at, in a sandbox without "
            "scripts; files of other kinds are saved all the same"
        },
    )
    version = _version()


class MetricsSchema(Schema):
    """One row for each finished epoch; scores of validation are null where an epoch was not validated."""

    items = fields.List(fields.Dict())


class CheckpointQuery(Schema):
    """In which form a checkpoint is wanted."""

    form = fields.String(
        load_default="checkpoint",
        validate=validate.OneOf(["checkpoint", "weights"]),
        metadata={
            "description": "weights: the network's tensors alone, as safetensors, which a worker writes: a "
            "third of the checkpoint, with which training goes on"
        },
    )


class CheckpointSchema(Schema):
    """A checkpoint; `name` is best, last or the number of its epoch."""

    name = fields.String()
    file = fields.String()
    kind = fields.String(allow_none=True, metadata={"description": "best, last or epoch"})
    epoch = fields.Integer(allow_none=True, metadata={"description": "epochs finished"})
    step = fields.Integer(allow_none=True, metadata={"description": "optimizer steps finished"})
    monitor = fields.String(
        allow_none=True, metadata={"description": "the metric by which epochs of the run are judged"}
    )
    monitored = fields.Float(allow_none=True, metadata={"description": "its value in that epoch"})
    val_miou = fields.Float(
        allow_none=True, metadata={"description": "of segmentation; `monitored` is of every task"}
    )
    bytes = fields.Integer()
    url = fields.String()


class ArtifactSchema(Schema):
    """A file of the run."""

    path = fields.String()
    bytes = fields.Integer()
    modified = instant_field("when it was written")
    url = fields.String()


class EpochOverlaySchema(Schema):
    """Some validation images after an epoch, with their truth and what the run saw in them, as JPEG."""

    epoch = fields.Integer()
    bytes = fields.Integer()
    modified = instant_field("when it was written")
    url = fields.String()


class OverlaysSchema(Schema):
    """Those of the newest epochs that have one, oldest first."""

    items = fields.List(fields.Nested(EpochOverlaySchema))


class CheckpointsSchema(Schema):
    """All checkpoints of a run."""

    items = fields.List(fields.Nested(CheckpointSchema))


class ArtifactsSchema(Schema):
    """All files of a run."""

    items = fields.List(fields.Nested(ArtifactSchema))
