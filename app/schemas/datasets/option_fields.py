"""Kinds of fields of an upload's options: a form sends structured ones as JSON text, a JSON body as data."""

import codecs
import re
from typing import Any

from marshmallow import ValidationError, fields

from app.http.requests.json_data import strict_loads
from app.schemas.fields import check_printable
from trainyard.catalog.names import NAME_ENCODINGS

MAX_VALUE = 65535
"""Masks of 16 bits are the deepest there are."""
MAX_CLASSES = 255
"""Prepared masks have 8 bits, and 255 is ignored."""
SPLITS = ("train", "val", "test")
MAX_PATTERN = 200
MAX_COLUMNS = 10_000
MAX_CAP = 10**9
_PAIR = {"value", "name"}
_VALUE = re.compile(r"(0|[1-9][0-9]{0,4})\Z")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")


class Whole(fields.Integer):
    """A whole number, also as the text of a form; 1.5 and true are refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool | float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Structured(fields.Field[Any]):
    """JSON data, or its text where a form sends it, that `check` turns into an option."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            return self.check(value)
        try:
            return self.check(strict_loads(value))
        except ValueError as error:
            raise ValidationError(f"Not valid JSON: {error}.") from error

    def check(self, content: Any) -> Any:
        """The option's value; raises ValidationError."""
        raise NotImplementedError


class ClassesField(Structured):
    """Mask values and their names: an object, or a list of {"value", "name"}."""

    def check(self, content: Any) -> dict[int, str]:
        """See `Structured.check`."""
        pairs = _pairs(content)
        if not 1 <= len(pairs) <= MAX_CLASSES:
            raise ValidationError(f"Must name 1 to {MAX_CLASSES} mask values.")
        for value, text in pairs:
            _check_name(_mask_value(value), text)
        values, names = zip(*pairs, strict=True)
        if len(set(values)) < len(pairs) or len(set(names)) < len(pairs):
            raise ValidationError("Values and names must each be different.")
        return {int(value): text for value, text in pairs}


class ColorsField(Structured):
    """Colours of masks and the values they stand for."""

    def check(self, content: Any) -> dict[str, int]:
        """See `Structured.check`."""
        for color, value in _object(content, "mask values by colour").items():
            if not _COLOR.match(color):
                raise ValidationError(f"{color[:20]!r} is no colour: #rrggbb, as #ff8000.")
            if not _is_whole(value) or not 0 <= value < MAX_CLASSES:
                raise ValidationError(
                    f"The value of {color} must be a whole number from 0 to {MAX_CLASSES - 1}."
                )
        if len({color.lower() for color in content}) < len(content):
            raise ValidationError("A colour is given twice.")
        return {color.lower(): value for color, value in content.items()}


class LabelMapField(Structured):
    """Mask values and what replaces them; null makes them ignored."""

    def check(self, content: Any) -> dict[int, int | None]:
        """See `Structured.check`."""
        mapped: dict[int, int | None] = {}
        for value, new in _object(content, "new values by mask value").items():
            if new is not None and not (_is_whole(new) and 0 <= new <= MAX_VALUE):
                raise ValidationError(
                    f"What replaces {value[:20]!r} must be a whole number from 0 to {MAX_VALUE}, or null."
                )
            mapped[_mask_value(value)] = new
        return mapped


class PatternField(fields.String):
    """A pattern of paths."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        _check_pattern(text)
        return text


class NamesEncodingField(fields.String):
    """The encoding of file names, by any of the names that Python knows it by."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            wanted = codecs.lookup(text).name
        except (LookupError, ValueError):  # no such codec; a name with a NUL
            wanted = ""
        found = next((name for name in NAME_ENCODINGS if codecs.lookup(name).name == wanted), None)
        if found is None:
            raise ValidationError(f"Must be one of: {', '.join(NAME_ENCODINGS)}.")
        return found


class ClassMasksField(Structured):
    """Patterns of paths by the class that the masks there show."""

    def check(self, content: Any) -> dict[str, str]:
        """See `Structured.check`."""
        if len(_object(content, "patterns of paths by class name")) >= MAX_CLASSES:
            raise ValidationError(f"Must name fewer than {MAX_CLASSES} classes.")
        for name, pattern in content.items():
            _check_name(name, name)
            _check_pattern(pattern)
        return dict(content)


class ColumnsField(Structured):
    """Headings of columns: a list, or one alone as a form sends it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and not value.lstrip().startswith("["):
            return self.check([value])
        return super()._deserialize(value, attr, data, **kwargs)

    def check(self, content: Any) -> list[str]:
        """See `Structured.check`."""
        if not isinstance(content, list) or not 1 <= len(content) <= MAX_COLUMNS:
            raise ValidationError(f"Must be a heading, or a list of 1 to {MAX_COLUMNS}.")
        if not all(isinstance(head, str) and 1 <= len(head) <= MAX_PATTERN for head in content):
            raise ValidationError(f"Headings are texts of 1 to {MAX_PATTERN} characters.")
        if len(set(content)) < len(content):
            raise ValidationError("A heading is there twice.")
        return content


class CapField(Structured):
    """A number of images, or one for each class by its name."""

    def check(self, content: Any) -> int | dict[str, int]:
        """See `Structured.check`."""
        caps = content.values() if isinstance(content, dict) and content else [content]
        if not all(type(cap) is int and 1 <= cap <= MAX_CAP for cap in caps):
            raise ValidationError(f"Must be a number from 1 to {MAX_CAP}, or such by the names of classes.")
        return dict(content) if isinstance(content, dict) else int(content)


class SplitsField(Structured):
    """Image names per split."""

    def check(self, content: Any) -> dict[str, list[str]]:
        """See `Structured.check`."""
        for split, names in _object(content, "lists of image names by split").items():
            if split not in SPLITS:
                raise ValidationError(f"{split[:20]!r} is no split: one of {', '.join(SPLITS)}.")
            if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
                raise ValidationError(f"The split {split} must be a list of image names.")
        return dict(content)


def _pairs(content: Any) -> list[tuple[str, Any]]:
    if isinstance(content, list) and all(isinstance(item, dict) and item.keys() == _PAIR for item in content):
        return [(str(item["value"]), item["name"]) for item in content]
    if isinstance(content, dict):
        return list(content.items())
    raise ValidationError('Must be an object of names by value, or a list of {"value", "name"}.')


def _object(content: Any, what: str) -> dict[str, Any]:
    if not isinstance(content, dict) or not content:
        raise ValidationError(f"Must be an object of {what}.")
    return content


def _mask_value(text: str) -> int:
    if not _VALUE.match(text) or int(text) > MAX_VALUE:
        raise ValidationError(f"{text[:20]!r} is no mask value: a whole number from 0 to {MAX_VALUE}.")
    return int(text)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_pattern(text: Any) -> None:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_PATTERN:
        raise ValidationError(f"A pattern is text of 1 to {MAX_PATTERN} characters.")
    check_printable(text)
    if ".." in text.split("/") or text.startswith("/"):
        raise ValidationError("A pattern is of paths within the upload, without / in front and without `..`.")


def _check_name(value: int | str, text: Any) -> None:
    if not isinstance(text, str) or len(text) > 100:
        raise ValidationError(f"The name of {value} must be text of at most 100 characters.")
    check_printable(text)
