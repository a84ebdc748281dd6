"""Fields that several schemas share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from trainyard.catalog.names import DEVICE_CLASSES

NAME_LENGTH = 100
NOTES_LENGTH = 10_000
MAX_TAGS = 20
TAG_LENGTH = 50
PRIORITY = validate.Range(min=0, max=9)
UNREADABLE = "unreadable"
"""In place of the status, for an item of a list whose record cannot be read."""
_LINE_ENDS = "\n\r\t"


class Instant(fields.String):
    """Seconds since 1970 as ISO 8601 in UTC with milliseconds."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else iso(value)


def iso(seconds: float) -> str:
    """A time as clients see it, such as 2026-01-31T12:00:00.000Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_field(help: str) -> Instant:
    return Instant(allow_none=True, metadata={"format": "date-time", "description": help})


def name_field(help: str, **options: Any) -> fields.String:
    """Text of 1 to 100 printable characters."""
    return fields.String(
        validate=[validate.Length(min=1, max=NAME_LENGTH), check_printable],
        metadata={"description": help},
        **options,
    )


def notes_field() -> fields.String:
    """Longer text, in which lines may end."""
    return fields.String(
        validate=[validate.Length(max=NOTES_LENGTH), _check_text],
        metadata={"description": "free text"},
    )


def tags_field(**options: Any) -> fields.List[Any]:
    """Up to 20 tags of 1 to 50 characters, each once."""
    tag = fields.String(validate=[validate.Length(min=1, max=TAG_LENGTH), check_printable, _check_no_comma])
    return fields.List(
        tag,
        validate=[validate.Length(max=MAX_TAGS), _check_unique],
        metadata={"description": "words to find runs by; no commas", "uniqueItems": True},
        **options,
    )


def group_field(**options: Any) -> fields.String:
    """The name of what a run belongs to."""
    return name_field("what the run belongs to, with others: an experiment, a sweep", **options)


def priority_field() -> fields.Integer:
    return fields.Integer(strict=True, validate=PRIORITY, metadata={"description": "0 to 9; 9 goes first"})


def max_hours_field() -> fields.Float:
    return fields.Float(
        allow_none=True,
        validate=validate.Range(min=0.001, max=100_000),
        metadata={
            "description": "hours that all attempts may train together; it then fails with `time_limit`, "
            "its work saved, and can be resumed with more. null: no limit"
        },
    )


def check_printable(text: str) -> None:
    """Refuse control characters, line ends, and names made of spaces."""
    if not text.isprintable() or not text.strip():
        raise ValidationError("Must be printable characters, not only spaces.")


def _check_no_comma(text: str) -> None:
    if "," in text:
        raise ValidationError("Must hold no comma.")


def _check_unique(items: list[str]) -> None:
    if len(set(items)) < len(items):
        raise ValidationError("Must name each once.")


def _check_text(text: str) -> None:
    if not "".join(char for char in text if char not in _LINE_ENDS).isprintable():
        raise ValidationError("Must hold no control characters.")


class PageQuery(Schema):
    """Which page of a list is wanted."""

    cursor = fields.String(
        validate=validate.Regexp(r"[0-9]{1,17}\Z", error="Not a cursor that a list gave as next_cursor."),
        metadata={"description": "next_cursor of the page before"},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    project = name_field("only records of this project")


def page_schema(item: type[Schema]) -> Schema:
    """The schema of a page of `item`."""
    parts: Mapping[str, fields.Field[Any]] = {
        "items": fields.List(fields.Nested(item)),
        "next_cursor": fields.String(
            allow_none=True, metadata={"description": "ask for the next page with it; null on the last"}
        ),
    }
    return Schema.from_dict(dict(parts), name=f"{item.__name__.removesuffix('Schema')}PageSchema")()


def device_class_field(description: str) -> fields.String:
    """A class of devices, which is a queue."""
    return fields.String(validate=validate.OneOf(DEVICE_CLASSES), metadata={"description": description})
