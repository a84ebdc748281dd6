"""Schemas made of the training spec's dataclasses: complete for answers, partial for requests."""

from copy import deepcopy
from functools import cache
from typing import Any

from marshmallow import Schema, fields, missing
from marshmallow_dataclass import class_schema

from trainyard.spec.training_spec import TrainingSpec

SpecSchema = class_schema(TrainingSpec)


def _partial(schema: type[Schema]) -> type[Schema]:
    """The same fields, none of them required, loaded as plain data; so too in the parts."""
    name = schema.__name__.removesuffix("Schema")
    return Schema.from_dict(
        {key: _optional(field) for key, field in schema._declared_fields.items()},
        name=f"Partial{name}Schema",
    )


def _optional(field: fields.Field[Any]) -> fields.Field[Any]:
    if isinstance(field, fields.Nested):
        return fields.Nested(_partial(type(field.schema)))
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return fields.List(fields.Nested(_plain(type(field.inner.schema))), metadata=field.metadata)
    copied = deepcopy(field)
    copied.required = False
    copied.load_default = missing  # what is left out is the experiment's to say, not this schema's
    return copied


@cache  # two lists of one kind are described once
def _plain(schema: type[Schema]) -> type[Schema]:
    """The same fields, loaded as plain data: an item of a list is given whole."""
    return Schema.from_dict(dict(schema._declared_fields), name=f"{schema.__name__}RequestSchema")


PartialSpecSchema = _partial(SpecSchema)


def epochs_field(**options: Any) -> fields.Integer:
    """The spec's own rule for a number of epochs."""
    field = SpecSchema._declared_fields["epochs"]
    return fields.Integer(strict=True, validate=field.validate, metadata=field.metadata, **options)
