"""JSON of the server to the dataclasses of `records`; a newer or an older server is no error."""

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, Self, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

T = TypeVar("T", bound="Record")
_Convert = Callable[[Any], Any]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Record:
    """What all records have: `raw`, the JSON as it came, with what a newer server says besides.

    A field that an older server leaves out is None, whatever its type says. Subclasses are frozen dataclasses
    from their first use on: to make all of them at import took a fifth of the time of `trainyard run ls`.
    """

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __new__(cls, **_: Any) -> Self:
        # Before Python looks up the class's __init__. mypy takes no class for hashable.
        _complete(cls)  # type: ignore[arg-type]
        return super().__new__(cls)


@cache
def _complete(kind: type[Any]) -> None:
    for base in reversed(kind.__mro__[1:-1]):
        _complete(base)
    dataclass(frozen=True, kw_only=True)(kind)


def decode(kind: type[T], data: Mapping[str, Any]) -> T:
    """The record that the JSON object means."""
    converters = _converters(kind)  # type: ignore[arg-type]  # mypy takes no class for hashable
    known = {name: None if data.get(name) is None else convert(data[name]) for name, convert in converters}
    return kind(**known, raw=data)


@cache
def _converters(kind: type[Any]) -> list[tuple[str, _Convert]]:
    _complete(kind)  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    return [(one.name, _converter(hints[one.name])) for one in fields(kind) if one.name != "raw"]


def _converter(hint: Any) -> _Convert:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return _converter(inner)
    if origin is list:
        item = _converter(arguments[0])
        return lambda value: [item(one) for one in value] if isinstance(value, list) else value
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda value: decode(hint, value) if isinstance(value, Mapping) else value
    return _as_time if hint is datetime else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _as_time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
