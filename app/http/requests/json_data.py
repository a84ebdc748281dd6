"""JSON in and out: strict about what comes in, and always valid JSON going out."""

import json
import math
from typing import Any, NoReturn

from flask.json.provider import DefaultJSONProvider

MAX_DEPTH = 32
"""Deeper nesting than this is refused: no request of this API needs half of it."""


class RepeatedKeyError(ValueError):
    """A key is there twice: readers differ in which of the two values counts."""

    def __init__(self, key: str) -> None:
        self.key = key[:100]
        super().__init__(f"the key {self.key!r} is there twice")


def strict_loads(text: str | bytes) -> Any:
    """Parse JSON; raises ValueError for anything that is not plain, finite, shallow JSON in UTF-8."""
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _check(value, MAX_DEPTH)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _check(value: Any, depth: int) -> None:
    """Refuse deep nesting, and text that UTF-8 cannot hold (half of a surrogate pair)."""
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for key, item in value.items():
            key.encode()
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)


class StrictJSONProvider(DefaultJSONProvider):
    """Flask's JSON, with keys in the order they were put, and null where a number is NaN or infinite."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return strict_loads(s)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        try:
            return super().dumps(obj, allow_nan=False, **kwargs)
        except ValueError:
            return super().dumps(_without_nan(obj), **kwargs)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
