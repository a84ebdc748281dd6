"""What other releases have written into a record and this one does not know: it is ignored when the record is
read, and kept when it is written again, at any depth."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def kept(kind: Any, stored: Any, written: Any) -> Any:
    """`written`, JSON data of a type, with the fields that `stored`, other JSON data of it, has besides those
    of the type's dataclasses. Parts in lists belong together where their first field is equal, their name."""
    if type(stored) is not type(written):
        return written
    if isinstance(written, Mapping):
        return _of_object(kind, stored, written)
    if isinstance(written, Sequence) and not isinstance(written, str):
        return _of_list(_inner(kind, -1), stored, written)
    return written


def _of_object(kind: Any, stored: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    if part := _dataclass_of(kind):
        hints = _hints(part)  # type: ignore[arg-type]
        unknown = {name: value for name, value in stored.items() if name not in hints}
        known = {name: kept(hints.get(name), stored.get(name), value) for name, value in written.items()}
        return {**unknown, **known}
    inner = _inner(kind, 1)
    return {name: kept(inner, stored.get(name), value) for name, value in written.items()}


def _of_list(inner: Any, stored: Sequence[Any], written: Sequence[Any]) -> list[Any]:
    part = _dataclass_of(inner)
    if part is None:
        return list(written)
    name, left = fields(part)[0].name, list(stored)
    return [kept(inner, _taken(left, name, one), one) for one in written]


def _taken(left: list[Any], name: str, one: Any) -> Any:
    """The first of those left that is called as this one, which is then not left any more."""
    for place, other in enumerate(left):
        if isinstance(other, Mapping) and isinstance(one, Mapping) and other.get(name) == one.get(name):
            return left.pop(place)
    return None


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _dataclass_of(hint: Any) -> type[Any] | None:
    """The one dataclass among what a hint allows."""
    found = [one for one in _choices(hint) if isinstance(one, type) and is_dataclass(one)]
    return found[0] if len(found) == 1 else None


def _inner(hint: Any, place: int) -> Any:
    """What a list or mapping holds, by its place among the hint's arguments; None where nothing is known."""
    found = [get_args(one) for one in _choices(hint) if get_args(one)]
    inner = [one for one in found[0] if one is not ...] if len(found) == 1 else []
    return inner[place] if -len(inner) <= place < len(inner) else None


def _choices(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, UnionType):
        return [one for one in get_args(hint) if one is not NoneType]
    return [hint]
