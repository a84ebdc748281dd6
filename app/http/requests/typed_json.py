"""JSON has numbers and truth values of its own: text in their place is refused, in every field alike, and so
is a number in place of a truth value.

marshmallow takes both from everywhere, since a query or a form has nothing but text.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields

_NUMBER = "Must be a number, not text."
_TRUTH = "Must be true or false."


def text_in_place(schema: Schema, data: Any) -> dict[Any, Any]:
    """What is wrong, by field as the data is nested; empty where nothing is."""
    if not isinstance(data, Mapping):
        return {}
    known = {field.data_key or name: field for name, field in schema.fields.items()}
    return _errors((key, known[key], value) for key, value in data.items() if key in known)


def _errors(items: Iterable[tuple[Any, Any, Any]]) -> dict[Any, Any]:
    found = {key: _in_field(field, value) for key, field, value in items}
    return {key: error for key, error in found.items() if error}


def _in_field(field: Any, value: Any) -> list[str] | dict[Any, Any]:
    if isinstance(field, fields.Boolean) and not isinstance(value, bool | None):
        return [_TRUTH]
    if isinstance(value, str):
        return [_NUMBER] if isinstance(field, fields.Number) else []
    if isinstance(field, fields.Nested):
        return text_in_place(field.schema, value)
    if isinstance(field, fields.List) and isinstance(value, list):
        return _errors((place, field.inner, item) for place, item in enumerate(value))
    if isinstance(field, fields.Tuple) and isinstance(value, list):
        return _errors(zip(range(len(value)), field.tuple_fields, value, strict=False))
    if isinstance(field, fields.Dict) and isinstance(value, dict):
        return _errors((key, field.value_field, item) for key, item in value.items())
    return {}
