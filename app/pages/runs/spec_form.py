"""The fields of a form, made of the spec's own metadata: what the spec gains, the form has."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from marshmallow import Schema, fields, validate

from app.schemas.runs.spec import SpecSchema
from trainyard.spec.fields import AUTO, ListedOrOffered, WholeOrList

Kind = Literal["choice", "number", "whole", "whole_or_auto", "switch", "text", "json"]
VERSION = "version"
"""The only field that is none of the client's."""


@dataclass(frozen=True, kw_only=True)
class SpecField:
    """A field: its name within the spec, by dots; what may be entered, and what it means.

    A `json` field is a list or an object. Where `nullable`, an empty field is null.
    """

    name: str
    kind: Kind
    help: str
    unit: str
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    nullable: bool

    @property
    def part(self) -> str:
        """The part of the spec that it is in; empty for the spec's own fields."""
        return self.name.rpartition(".")[0].partition(".")[0]

    @property
    def label(self) -> str:
        """Its name in words, within its part."""
        words = (self.name.partition(".")[2] or self.name).replace(".", ": ").replace("_", " ")
        return words[0].upper() + words[1:]


def spec_fields() -> Iterator[SpecField]:
    """All fields, in the order of the spec."""
    yield from _fields_of(SpecSchema(), "")


def _fields_of(schema: Schema, prefix: str) -> Iterator[SpecField]:
    for name, field in schema.fields.items():
        if isinstance(field, fields.Nested):
            yield from _fields_of(field.schema, f"{prefix}{name}.")
        elif name != VERSION:
            yield _field(f"{prefix}{name}", field)


def _field(name: str, field: fields.Field[Any]) -> SpecField:
    limits = {**_range(field), **_either(field.metadata)}
    names = tuple(str(one) for rule in map(_listed, field.validators) if rule for one in rule.choices)
    return SpecField(
        name=name,
        kind="choice" if names else _kind(field),
        help=field.metadata.get("description", ""),
        unit=field.metadata.get("unit", ""),
        choices=names,
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
        nullable=bool(field.allow_none),
    )


def _listed(rule: Callable[..., Any]) -> validate.OneOf | None:
    """The list that a rule holds names to; what plug-ins offer besides is not offered by the form."""
    if isinstance(rule, ListedOrOffered):
        return rule.listed
    return rule if isinstance(rule, validate.OneOf) else None


_KINDS: tuple[tuple[type[fields.Field[Any]], Kind], ...] = (
    (fields.Boolean, "switch"),
    (fields.Integer, "whole"),
    (fields.Float, "number"),
    (fields.List, "json"),
    (WholeOrList, "json"),
    (fields.Dict, "json"),
)


def _kind(field: fields.Field[Any]) -> Kind:
    if _either(field.metadata):
        return "whole_or_auto"
    return next((kind for type_, kind in _KINDS if isinstance(field, type_)), "text")


def _range(field: fields.Field[Any]) -> dict[str, float]:
    rule = next((one for one in field.validators if isinstance(one, validate.Range)), None)
    found = {} if rule is None else {"minimum": rule.min, "maximum": rule.max}
    return {name: limit for name, limit in found.items() if limit is not None}


def _either(metadata: Mapping[str, Any]) -> dict[str, float]:
    """The range of a number that may be AUTO, as the field describes itself for OpenAPI."""
    forms = metadata.get("oneOf", ())
    if not any(AUTO in form.get("enum", ()) for form in forms):
        return {}
    return {name: form[name] for form in forms for name in ("minimum", "maximum") if name in form}


def values_of(spec: Mapping[str, Any]) -> Callable[[str], Any]:
    """Finds the value of a field in a spec as JSON data."""

    def value(name: str) -> Any:
        found: Any = spec
        for part in name.split("."):
            found = found[part]
        return found

    return value
