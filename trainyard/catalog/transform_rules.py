"""What the parameters of transforms may be: rules that say in words what they accept."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one parameter accepts. `examples` are values at its ends, which tests try with the library."""

    says: str
    accepts: Callable[[Any], bool]
    examples: tuple[Any, ...]

    def __or__(self, other: "Rule") -> "Rule":
        return Rule(
            says=f"{self.says}, or {other.says}",
            accepts=lambda value: self.accepts(value) or other.accepts(value),
            examples=self.examples + other.examples,
        )


def number(low: float, high: float) -> Rule:
    """A number within [low, high]."""
    return Rule(
        says=f"a number from {low:g} to {high:g}",
        accepts=lambda value: _is_number(value) and low <= value <= high,
        examples=(low, high),
    )


def whole(low: int, high: int, *, odd: bool = False) -> Rule:
    """A whole number within [low, high], an odd one if asked for."""
    return Rule(
        says=f"{'an odd' if odd else 'a whole'} number from {low} to {high}",
        accepts=lambda value: _is_whole(value) and low <= value <= high and (value % 2 == 1 or not odd),
        examples=(low, high),
    )


def pair(low: float, high: float) -> Rule:
    """Two numbers within [low, high] between which one is drawn, the lower first."""
    return Rule(
        says=f"two numbers from {low:g} to {high:g}, the lower first",
        accepts=lambda value: _is_pair(value, _is_number) and low <= value[0] <= value[1] <= high,
        examples=([low, low], [low, high], [high, high]),
    )


def whole_pair(low: int, high: int) -> Rule:
    """Two whole numbers within [low, high], the lower first."""
    return Rule(
        says=f"two whole numbers from {low} to {high}, the lower first",
        accepts=lambda value: _is_pair(value, _is_whole) and low <= value[0] <= value[1] <= high,
        examples=([low, low], [low, high], [high, high]),
    )


def drawn(low: float, high: float) -> Rule:
    """A pair, or one number that stands for itself or, by the library's rule, for a range around or below."""
    return number(low, high) | pair(low, high)


def symmetric(limit: float) -> Rule:
    """A pair, or one number for the range from its negative to itself."""
    return number(0, limit) | pair(-limit, limit)


def per_axis(rule: Rule) -> Rule:
    """One value for both axes, or a mapping with `x` and `y`, or one of them."""
    return rule | Rule(
        says="a mapping of `x` and `y` to such values",
        accepts=lambda value: (
            isinstance(value, dict)
            and 0 < len(value) <= len("xy")
            and all(key in ("x", "y") and rule.accepts(one) for key, one in value.items())
        ),
        examples=(
            *({"x": example, "y": example} for example in rule.examples),
            {"x": rule.examples[0]},
        ),
    )


def one_of(*values: Any) -> Rule:
    """One of a few names or numbers."""
    return Rule(
        says=f"one of: {', '.join(map(str, values))}",
        # True is no 1 here.
        accepts=lambda value: any(value == one and type(value) is type(one) for one in values),
        examples=values,
    )


def only(value: Any, why: str) -> Rule:
    """The one value that goes with training masks."""
    return Rule(
        says=f"{value!s} or left out: {why}",
        accepts=lambda given: given == value and type(given) is type(value),
        examples=(value,),
    )


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pair(value: Any, kind: Callable[[Any], bool]) -> bool:
    return _is_list(value, 2, kind)


def _is_list(value: Any, length: int, kind: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and len(value) == length and all(map(kind, value))


def in_pixels(value: Any) -> bool:
    """Whether an EXTENT is of pixels, and not of shares."""
    return _is_pair(value, _is_whole)


def _is_share_or_pixels(value: Any) -> bool:
    if not _is_pair(value, _is_number) or value[0] > value[1]:
        return False
    low, high = (1, 4096) if in_pixels(value) else (0, 1)
    return bool(low <= value[0] and value[1] <= high)


def _is_region(value: Any) -> bool:
    return (
        _is_list(value, 4, _is_number) and 0 <= value[0] <= value[2] <= 1 and 0 <= value[1] <= value[3] <= 1
    )


FLAG = Rule(says="true or false", accepts=lambda value: isinstance(value, bool), examples=(True, False))
NULL = Rule(says="null", accepts=lambda value: value is None, examples=(None,))
COLOUR = number(0, 255) | Rule(
    says="three of them, for red, green and blue",
    accepts=lambda value: _is_list(value, 3, lambda one: _is_number(one) and 0 <= one <= 255),
    examples=([0, 128, 255],),
)
EXTENT = Rule(
    says="two shares of the side from 0 to 1 (one with a decimal point), or two whole numbers of pixels from "
    "1 to 4096, the lower first",
    accepts=_is_share_or_pixels,
    examples=([0.0, 1.0], [0.1, 0.2], [1, 8], [4096, 4096]),
)
GRID = Rule(
    says="two whole numbers from 1 to 64",
    accepts=lambda value: _is_pair(value, lambda one: _is_whole(one) and 1 <= one <= 64),
    examples=([1, 1], [64, 1], [64, 64]),
)
REGION = Rule(
    says="four shares from 0 to 1: left, top, right, bottom",
    accepts=_is_region,
    examples=([0, 0, 1, 1], [0.2, 0.3, 0.4, 0.5]),
)
