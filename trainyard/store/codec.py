"""Records as JSON data and as the texts of a hash in Redis.

They are written by their schema and read as what is stored (`decoding.py`): trusted, and never refused for
what an older or newer release would have written otherwise.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

from marshmallow import fields
from marshmallow_dataclass import class_schema

from trainyard.decoding import decoder
from trainyard.errors import Unreadable
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import TrainingSpec
from trainyard.store.foreign_fields import kept

Record = TypeVar("Record")

NOTED = "unreadable"
"""The field of a hash that stands for a file in storage that cannot be read: why not."""
SPEC = "spec"
SPECS_KEPT = 1000
"""Specs that a process remembers, about 6 kB each."""
_SHOWN = 200
"""Characters that are taken of a text of a record that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class UnreadableRecord:
    """What a list has for a record that cannot be read: its id, why, and what else can be told of it."""

    id: str
    problem: str
    project: str | None
    name: str | None


class Codec(Generic[Record]):
    """Turns a record into JSON data and into the texts of a hash, and back, by its dataclass."""

    def __init__(self, kind: type[Record]) -> None:
        self._kind = kind
        self._schema = class_schema(kind)()
        self._decode = decoder(kind, own={TrainingSpec: _spec})
        known = self._schema.fields.items()
        self._is_text = {name: isinstance(one, fields.String | fields.Enum) for name, one in known}

    def to_json(self, record: Record) -> dict[str, Any]:
        """Plain JSON data, every field present."""
        return dict(self._schema.dump(record))

    def evolve(self, record: Record, **values: Any) -> Record:
        """The record with fields changed."""
        return replace(record, **values)  # type: ignore[type-var]

    def to_json_over(self, record: Record, stored: Mapping[str, Any]) -> dict[str, Any]:
        """As `to_json`, with what another release has put into the stored JSON data of the same record, at
        any depth, and this one does not know."""
        found: dict[str, Any] = kept(self._kind, dict(stored), self.to_json(record))
        return found

    def from_json(self, data: Any) -> Record:
        """The reverse; fields of an older or newer revision of the record are left out. Raises Unreadable."""
        return self._decode(data)

    def to_hash(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Texts for some fields of `to_json`; None becomes the empty text, which removes a field."""
        return {name: self._text(name, value) for name, value in values.items()}

    def from_hash(self, texts: Mapping[str, str]) -> Record:
        """A record from a whole hash; raises Unreadable."""
        if NOTED in texts:
            raise Unreadable(texts[NOTED].rstrip("."))
        data: dict[str, Any] = {}
        others: dict[str, str] = {}
        for name, text in texts.items():
            if name == SPEC:
                data[name] = _spec_of(text)
            elif name in self._is_text:
                (data if self._is_text[name] else others)[name] = text
        return self._decode(data | _parsed(others))

    def listed_text(self, record_id: str, text: str) -> Record | UnreadableRecord:
        """As `listed`, of the JSON text as which scripts answer with a hash."""
        return self.listed(record_id, self.texts_of(text))

    @staticmethod
    def texts_of(text: str) -> dict[str, str]:
        """The hash of a JSON list of fields and texts."""
        flat = json.loads(text)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def listed(self, record_id: str, texts: Mapping[str, str]) -> Record | UnreadableRecord:
        """As `from_hash`, for a list: one record that cannot be read is one item that says so."""
        try:
            return self.from_hash(texts)
        except Unreadable as error:
            return UnreadableRecord(
                id=record_id,
                problem=error.message,
                project=_shown(texts.get("project")),
                name=_shown(texts.get("name")),
            )

    def _text(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        is_text = self._is_text.get(name, isinstance(value, str))
        return str(value) if is_text else json.dumps(value)


def codec_of(kind: type[Record]) -> Codec[Record]:
    """The one codec of a dataclass: making it looks at each of the fields."""
    codec: Codec[Record] = _codec_of(kind)  # type: ignore[arg-type]
    return codec


@cache
def _codec_of(kind: type[Any]) -> Codec[Any]:
    return Codec(kind)


def _spec(data: Any) -> TrainingSpec:
    return data if isinstance(data, TrainingSpec) else read_spec(data)


@lru_cache(maxsize=SPECS_KEPT)
def _spec_of(text: str) -> TrainingSpec:
    """The spec is the most of a record, and the same whenever the record is asked for."""
    data = _parsed_alone(SPEC, text)
    try:
        return read_spec(data)
    except Unreadable as error:
        raise error.within(SPEC) from None


def _parsed(texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of some fields, parsed in one go: a parser's call costs more than what most fields hold."""
    try:
        values = json.loads(f"[{','.join(texts.values())}]")
    except (ValueError, RecursionError):
        values = []
    if len(values) == len(texts):
        return dict(zip(texts, values, strict=True))
    return {name: _parsed_alone(name, text) for name, text in texts.items()}


def _parsed_alone(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(f"{text[:40]!r} is no JSON", (name,)) from None


def _shown(text: str | None) -> str | None:
    return None if text is None else text[:_SHOWN]
