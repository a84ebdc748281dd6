"""Whether the values of a set's masks are ids of objects, which begin anew in each image, or classes.

Nothing in a file says so; what speaks for ids is how values are spread over images:

- each image has the first so many of all values, and how many differs: {1, 2}, {1, 2, 3, 4}, {1}. Classes
  leave gaps, since a later one occurs without an earlier one;
- or nearly every value occurs in one image alone, and there are more values than images;
- or, as in tracking, there are many values, and each comes and goes once in the order of the images;
- and nearly every value is one piece in an image, where a class has many.

Values are compared by rank, so that a step between ids, and colours in place of ids, make no difference.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Sureness = Literal["certain", "likely"]
Values = Mapping[int, int]
"""Pixels of each value of a mask, of which 0 is the background."""

Pieces = Callable[[Collection[int]], float]
"""The share of values, in the masks of these numbers, that are one piece each there."""

FEW_IMAGES = 4
"""Of fewer images with objects, nothing is certain."""

LOOKED_AT = 16
"""Masks of a set in which pieces are counted."""

_WITH_BACKGROUND = 0.9
_FEW = 2
_MANY = 5  # values from which on their spread is no chance
_PREFIX = 0.95
_ONE_PIECE = 0.9
_ALL_ONE_PIECE = 0.97
_MAIN_PIECE = 0.95
_TRACKED = 10
_CROPPED = 20
_SAME_ORDER = 0.9
_TINY = 8  # pixels of a slip of the brush or of a smoothed edge
_MOST_TINY = 0.2
_ENOUGH_PIXELS = 1 << 20  # of a larger mask, rows and columns at equal distances are looked at
_MOST_VALUES = 64
"""Values of one mask whose pieces are counted."""


def sureness(masks: Sequence[Values], pieces: Pieces, *, by_frequency: bool = False) -> Sureness | None:
    """How sure it is that values are ids of objects; None where they are as well, or rather, classes.

    Nearly all masks of objects have background between them: where `masks` lack it, this is no question.
    `masks` are in the order of their names. With `by_frequency`, as for colours, values have no order of
    their own: the more frequent come first.
    """
    if sum(0 in values for values in masks) < _WITH_BACKGROUND * len(masks):
        return None
    masks = [{value: count for value, count in values.items() if value} for values in masks]
    shown = [number for number, values in enumerate(masks) if values]
    sets = _ranked([set(masks[number]) for number in shown], by_frequency)
    sizes = [count for values in masks for count in values.values()]
    if not sets or sum(size <= _TINY for size in sizes) > _MOST_TINY * len(sizes):
        return None
    found = _restarting(sets, [masks[number] for number in shown]) or _unique(sets) or _tracked(sets)
    if found is None:
        return None
    told, least = found
    several = [number for number in shown if len(masks[number]) > 1] or shown
    if pieces(several[:: -(-len(several) // LOOKED_AT)]) < least:
        return None
    return "likely" if len(sets) < FEW_IMAGES else told


def one_piece(mask: NDArray[np.generic]) -> tuple[int, int]:
    """How many values above 0 of a mask, (H, W), are one piece each but for specks, and how many are looked
    at."""
    step = int(np.ceil(np.sqrt(mask.size / _ENOUGH_PIXELS)))
    mask = mask[::step, ::step]
    values = [int(value) for value in np.unique(mask) if value > 0]
    looked_at = values[:: -(-len(values) // _MOST_VALUES)] if values else []
    single = 0
    for value in looked_at:
        rows, columns = np.nonzero(mask == value)
        box = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] == value
        _, _, stats, _ = cv2.connectedComponentsWithStats(box.astype(np.uint8), connectivity=8)
        single += int(stats[1:, cv2.CC_STAT_AREA].max()) >= _MAIN_PIECE * len(rows)
    return single, len(looked_at)


def _ranked(sets: list[set[int]], by_frequency: bool) -> list[set[int]]:
    """The sets with each value replaced by its rank, from 1."""
    count = Counter(value for one in sets for value in one)
    ordered = sorted(count, key=lambda value: (-count[value], value) if by_frequency else (value, 0))
    rank = {value: number for number, value in enumerate(ordered, start=1)}
    return [{rank[value] for value in one} for one in sets]


def _restarting(sets: list[set[int]], masks: Sequence[Values]) -> tuple[Sureness, float] | None:
    sizes = {len(one) for one in sets}
    highest = max(max(one) for one in sets)
    prefixes = sum(max(one) == len(one) for one in sets) / len(sets)
    missing = 1 - sum(map(len, sets)) / sum(max(one) for one in sets)
    if len(sizes) == 1:  # all images show the same, as classes do, and as objects may in a few
        may_be = len(sets) < FEW_IMAGES and highest > _FEW and prefixes == 1
        return ("likely", _ALL_ONE_PIECE) if may_be else None
    rare = sum(highest in one for one in sets) <= len(sets) / 2
    if highest >= _MANY and rare and missing <= 1 - _PREFIX:
        sure = len(sizes) > 2 and prefixes >= _ONE_PIECE
        return ("certain" if sure else "likely"), _ONE_PIECE
    if prefixes == 1 and not _in_one_order(masks):
        return "likely", _ONE_PIECE
    return None


def _in_one_order(masks: Sequence[Values]) -> bool:
    """Whether of any two values the same one is nearly always the larger: then each has a look of its own."""
    larger: dict[tuple[int, int], list[bool]] = {}
    for values in masks:
        ordered = sorted(values)
        for one, other in pairwise(ordered):
            larger.setdefault((one, other), []).append(values[one] > values[other])
    often = [found for found in larger.values() if len(found) > FEW_IMAGES]
    return bool(often) and all(
        max(sum(found), len(found) - sum(found)) >= _SAME_ORDER * len(found) for found in often
    )


def _unique(sets: list[set[int]]) -> tuple[Sureness, float] | None:
    count = Counter(value for one in sets for value in one)
    once = sum(images == 1 for images in count.values())
    if len(sets) > 1 and len(count) >= max(6, 1.5 * len(sets)) and once >= _ONE_PIECE * len(count):
        return "certain", _ONE_PIECE
    return None


def _tracked(sets: list[set[int]]) -> tuple[Sureness, float] | None:
    """Ids of objects that move through a film, or of which each image shows a part."""
    numbers: dict[int, list[int]] = {}
    for number, one in enumerate(sets):
        for value in one:
            numbers.setdefault(value, []).append(number)
    if sum(map(len, sets)) < 3 * len(sets) or len(sets) < FEW_IMAGES:
        return None
    runs = sum(found[-1] - found[0] < len(found) for found in numbers.values())
    most = max(map(len, sets))
    if len(numbers) >= max(_TRACKED, 1.3 * most) and runs >= _ONE_PIECE * len(numbers):
        return "likely", _ALL_ONE_PIECE
    if len(numbers) >= max(_CROPPED, 1.3 * most):
        return "likely", _ALL_ONE_PIECE
    return None
