"""What clients send to resume and to fork a run."""

from marshmallow import Schema, fields, validate

from app.schemas.fields import (
    device_class_field,
    group_field,
    max_hours_field,
    name_field,
    notes_field,
    priority_field,
    tags_field,
)
from app.schemas.runs.spec import PartialSpecSchema, epochs_field


class ResumeSchema(Schema):
    """How far a resumed run is to go."""

    epochs = epochs_field()


class ExportSchema(Schema):
    """Which files are wanted; what is left out is as in the run's spec."""

    onnx = fields.Boolean(
        load_default=True,
        metadata={"description": "model.onnx; false completes a run without any whose export failed"},
    )
    half = fields.Boolean(metadata={"description": "also model.fp16.onnx"})
    int8 = fields.Boolean(metadata={"description": "also model.int8.onnx"})
    with_preprocessing = fields.Boolean(
        metadata={"description": "with the preprocessing inside: images in, classes out"}
    )


class ForkSchema(Schema):
    """A fork that is asked for; what is left out is as in the run that is forked."""

    checkpoint = fields.String(
        load_default="best",
        validate=validate.Regexp(r"(best|last|[1-9][0-9]{0,8})\Z", error="best, last or an epoch's number"),
        metadata={"description": "`best`, `last`, or an epoch that has a checkpoint of its own"},
    )
    spec = fields.Nested(
        PartialSpecSchema, metadata={"description": "laid over the complete spec of the run that is forked"}
    )
    dataset_id = fields.String(
        validate=validate.Length(max=100), metadata={"description": "id of a ready data set"}
    )
    name = name_field("name of the fork")
    project = name_field("project it belongs to")
    notes = notes_field()
    tags = tags_field()
    group = group_field()
    priority = priority_field()
    max_hours = max_hours_field()
    device_class = device_class_field("what it is to be trained on")
