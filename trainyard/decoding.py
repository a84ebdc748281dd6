"""Builds dataclasses of JSON data that Trainyard itself has written: their form is looked at, no more.

What is stored was checked when it was a request, by the rules of its day, and today's must not make it
unreadable. So a field that is not known is left out, one that is absent (or null where it cannot be) gets its
default, and names and ranges are taken as they are. Only what is of another form raises Unreadable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from trainyard.errors import Unreadable

Decode = Callable[[Any], Any]
Kind = TypeVar("Kind")

Defaults = Mapping[type, Mapping[str, Any]]
"""By dataclass: what an absent field stands for, as JSON data; before the dataclass' own defaults."""


def decoder(
    kind: type[Kind], *, defaults: Defaults | None = None, own: Mapping[type, Decode] | None = None
) -> Callable[[Any], Kind]:
    """What builds a `kind`, a dataclass, of JSON data; it raises Unreadable.

    `own` has the decoders of types that are read in a way of their own.
    """
    return _Decoders(defaults or {}, own or {}).of_record(kind)


class _Decoders:
    """Makes a decoder for a type's hints once, so that decoding itself looks nothing up."""

    def __init__(self, defaults: Defaults, own: Mapping[type, Decode]) -> None:
        self._defaults = defaults
        self._own = own

    def of(self, hint: Any) -> Decode:
        if hint in self._own:
            return self._own[hint]
        if hint is Any:
            return _anything
        if hint in _SCALARS:
            return _SCALARS[hint]
        if isinstance(hint, type) and is_dataclass(hint):
            return self.of_record(hint)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return partial(_member, hint)
        return self._of_generic(hint)

    def _of_generic(self, hint: Any) -> Decode:
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Literal:
            return self.of(type(inner[0]))
        if origin in (Union, UnionType):
            return self._of_union(inner)
        if origin is dict:
            return partial(_mapping, _key(inner[0]), self.of(inner[1]))
        if origin is list:
            return partial(_array, list, self.of(inner[0]))
        if origin is Sequence or (origin is tuple and inner[1:] == (...,)):
            return partial(_array, tuple, self.of(inner[0]))
        if origin is tuple:
            return partial(_fixed, tuple(self.of(item) for item in inner))
        raise TypeError(f"nothing decodes {hint}")

    def _of_union(self, hints: tuple[Any, ...]) -> Decode:
        decoders = [self.of(hint) for hint in hints if hint is not NoneType]
        chosen = decoders[0] if len(decoders) == 1 else partial(_first_fitting, decoders)
        return partial(_optional, chosen) if NoneType in hints else chosen

    def of_record(self, kind: type[Any]) -> Decode:
        hints, table = get_type_hints(kind), self._defaults.get(kind, {})
        parts = [(one.name, self.of(hints[one.name])) for one in fields(kind)]
        nullable = frozenset(name for name, hint in hints.items() if _takes_none(hint))
        needed = frozenset(one.name for one in fields(kind) if not _has_default(one))
        return partial(_record, kind, parts, bool(table), partial(_completed, parts, table, nullable, needed))


def _record(
    kind: type[Any],
    parts: list[tuple[str, Decode]],
    has_table: bool,
    completed: Callable[[Any], dict[str, Any]],
    data: Any,
) -> Any:
    try:  # most data lack nothing but what the dataclass' own defaults stand for, and lists of them are long
        values = {name: decode(data[name]) for name, decode in parts if name in data}
        if len(values) == len(parts) or not has_table:
            return kind(**values)
    except (KeyError, TypeError, IndexError, Unreadable):
        pass
    return kind(**completed(data))


def _completed(
    parts: list[tuple[str, Decode]],
    table: Mapping[str, Any],
    nullable: frozenset[str],
    needed: frozenset[str],
    data: Any,
) -> dict[str, Any]:
    """The values of a dataclass' fields, but those that have its own defaults."""
    if type(data) is not dict:
        raise _other("an object", data)
    values = {}
    for name, decode in parts:
        value = data.get(name)
        if value is None and not (name in data and name in nullable):
            if name not in table:
                continue
            value = table[name]
        values[name] = _within(name, decode, value)
    if missing := needed - values.keys():
        raise Unreadable(f"there is no {', '.join(sorted(missing))}")
    return values


def _takes_none(hint: Any) -> bool:
    return hint is Any or NoneType in get_args(hint)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _other(wanted: str, found: Any) -> Unreadable:
    return Unreadable(f"{wanted} was expected, found {str(found)[:40]!r}")


def _anything(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise _other("text", value)


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():  # how Lua writes a large one
        return int(value)
    raise _other("a whole number", value)


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    raise _other("a number", value)


def _truth(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise _other("true or false", value)


_SCALARS: dict[Any, Decode] = {str: _text, int: _whole, float: _number, bool: _truth}


def _key(hint: Any) -> Decode:
    """Keys of JSON are texts; numbers are written as such."""
    return _whole_key if hint is int else _text


def _whole_key(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _other("a whole number as key", text) from None


def _member(kind: type[Enum], value: Any) -> Enum:
    try:
        return kind(value)
    except ValueError:
        raise _other(f"one of {', '.join(str(one.value) for one in kind)}", value) from None


def _optional(decode: Decode, value: Any) -> Any:
    return None if value is None else decode(value)


def _first_fitting(decoders: list[Decode], value: Any) -> Any:
    for decode in decoders[:-1]:
        try:
            return decode(value)
        except Unreadable:
            continue
    return decoders[-1](value)


def _mapping(key: Decode, item: Decode, value: Any) -> dict[Any, Any]:
    if type(value) is not dict:
        raise _other("an object", value)
    return {key(name): _within(name, item, one) for name, one in value.items()}


def _array(kind: type[Any], item: Decode, value: Any) -> Any:
    if type(value) not in (list, tuple):
        raise _other("a list", value)
    return kind([_within(place, item, one) for place, one in enumerate(value)])


def _fixed(items: tuple[Decode, ...], value: Any) -> tuple[Any, ...]:
    if type(value) not in (list, tuple) or len(value) != len(items):
        raise _other(f"a list of {len(items)}", value)
    return tuple(decode(one) for decode, one in zip(items, value, strict=True))


def _within(place: object, decode: Decode, value: Any) -> Any:
    try:
        return decode(value)
    except Unreadable as error:
        raise error.within(place) from None
