"""Data sets as clients send and see them."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate
from marshmallow_dataclass import class_schema

from app.http.json_data import strict_loads
from app.schemas.fields import PageQuery, check_printable, instant_field, name_field
from app.service.datasets import DatasetRequest
from trainyard.datasets import DatasetStatus, DatasetSummary, IngestOptions, Problem

MAX_VALUE = 65535
"""Masks of 16 bits are the deepest there are."""
MAX_CLASSES = 255
"""Prepared masks have 8 bits, and 255 is ignored."""
_PAIR = {"value", "name"}
_VALUE = re.compile(r"(0|[1-9][0-9]{0,4})\Z")


class ClassesField(fields.String):
    """Mask values and their names as JSON text: an object, or a list of {"value", "name"}."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            content = strict_loads(text)
        except ValueError as error:
            raise ValidationError(f"Not valid JSON: {error}.") from error
        return _classes(content)


class UploadFields(Schema):
    """The text fields of an upload, beside `file`."""

    name = name_field("name of the set", required=True)
    project = name_field("project it belongs to", load_default="default")
    classes = ClassesField(
        metadata={
            "description": 'names of mask values: {"0": "background", "255": "pet"} or [{"value": 0, "name": '
            '"background"}]; values without a name are found out'
        }
    )
    ignore_value = fields.Integer(
        validate=validate.Range(min=0, max=MAX_VALUE),
        metadata={"description": "mask value of pixels that belong to no class"},
    )
    val_fraction = fields.Float(
        validate=validate.Range(min=0, max=0.9, min_inclusive=False),
        metadata={"description": "share of images for validation where the archive has no train/val folders"},
    )
    seed = fields.Integer(
        validate=validate.Range(min=0, max=2**32 - 1), metadata={"description": "seed of that split"}
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DatasetRequest:
        """The request as its use case takes it."""
        options = {key: value for key, value in data.items() if key not in ("name", "project")}
        if options.get("ignore_value") in options.get("classes", {}):
            raise ValidationError("It is the value of a class as well.", "ignore_value")
        return DatasetRequest(name=data["name"], project=data["project"], options=IngestOptions(**options))


class UploadSchema(UploadFields):
    """The whole form, for the API's description."""

    file = fields.Raw(
        required=True,
        metadata={"type": "string", "format": "binary", "description": "zip archive of images and masks"},
    )


class DatasetSchema(Schema):
    """A data set."""

    id = fields.String()
    name = fields.String()
    project = fields.String()
    status = fields.Enum(DatasetStatus, by_value=True)
    revision = fields.Integer()
    created_at = instant_field("when it was accepted")
    started_at = instant_field("when its ingest began")
    ended_at = instant_field("when its ingest ended")
    options = fields.Nested(class_schema(IngestOptions))
    upload_bytes = fields.Integer()
    images_done = fields.Integer()
    images_total = fields.Integer(allow_none=True)
    summary = fields.Nested(class_schema(DatasetSummary), allow_none=True)
    problems = fields.List(fields.Nested(class_schema(Problem)))
    error = fields.Dict(allow_none=True)


class DatasetQuery(PageQuery):
    """Which data sets are wanted."""

    status = fields.String(validate=validate.OneOf([status.value for status in DatasetStatus]))


def _classes(content: Any) -> dict[int, str]:
    pairs = _pairs(content)
    if not 1 <= len(pairs) <= MAX_CLASSES:
        raise ValidationError(f"Must name 1 to {MAX_CLASSES} mask values.")
    values, names = zip(*pairs, strict=True)
    for value, text in pairs:
        _check_class(value, text)
    if len(set(values)) < len(pairs) or len(set(names)) < len(pairs):
        raise ValidationError("Values and names must each be different.")
    return {int(value): text for value, text in pairs}


def _pairs(content: Any) -> list[tuple[str, Any]]:
    if isinstance(content, dict):
        return list(content.items())
    if isinstance(content, list) and all(isinstance(item, dict) and item.keys() == _PAIR for item in content):
        return [(str(item["value"]), item["name"]) for item in content]
    raise ValidationError('Must be an object of names by value, or a list of {"value", "name"}.')


def _check_class(value: str, text: Any) -> None:
    if not _VALUE.match(value) or int(value) > MAX_VALUE:
        raise ValidationError(f"{value[:20]!r} is no mask value: a whole number from 0 to {MAX_VALUE}.")
    if not isinstance(text, str) or len(text) > 100:
        raise ValidationError(f"The name of value {value} must be text of at most 100 characters.")
    check_printable(text)
