"""Whether the values of a set's masks are ids of objects, which begin anew in each image, or classes.

Nothing in a file says so; what speaks for ids is how values are spread over images:

- each image has the first so many of all values, and how many differs: {1, 2}, {1, 2, 3, 4}, {1}. Classes
  leave gaps, since a later one occurs without an earlier one;
- or nearly every value occurs in one image alone, and there are more values than images;
- or, as in tracking, there are many values, and each comes and goes once in the order of the images;
- and nearly every value is one piece in an image, where a class has many.

Values are compared by how many images have them, so that a step between ids, the first of them, and colours
in place of ids make no difference. Files that hold the classes 1 to k, layers or grades, look the same
where k is small: only from PLAIN ids on is it no question.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Sureness = Literal["certain", "likely"]
Values = Mapping[int, int]
"""Pixels of each value of a mask."""

Pieces = Callable[[Collection[int]], float]
"""The share of values, in the masks of these numbers, that are one piece each there."""

FEW_IMAGES = 4
"""Of fewer images with objects, nothing is certain."""

LOOKED_AT = 16
"""Masks of a set in which pieces are counted."""

PLAIN = 16
"""Ids in one image from which on they are no classes, since hardly any set shows so many in order."""

PLAIN_NAMED = 5
"""As PLAIN, where one class alone is named."""

_WITH_BACKGROUND = 0.9
_FEW = 2
_MANY = 5  # values from which on their spread is no chance
_PREFIX = 0.95
_ONE_PIECE = 0.9
_MOSTLY_ONE_PIECE = 0.6  # where objects lie before others, which are parted
_ALL_ONE_PIECE = 0.97
_SHUFFLED = 4
_BRIGHTEST = 255
_MAIN_PIECE = 0.95
_TRACKED = 10
_CROPPED = 20
_SAME_ORDER = 0.9
_TINY = 8  # pixels of a slip of the brush or of a smoothed edge
_MOST_TINY = 0.2
_ENOUGH_PIXELS = 1 << 20  # of a larger mask, rows and columns at equal distances are looked at
_MOST_VALUES = 64
"""Values of one mask whose pieces are counted."""
_ENOUGH_VALUES = 32
_PLAINLY_IN_PIECES = 0.4
"""A share of one piece, among so many values, below which no more masks need be looked at: each rule wants
`_MOSTLY_ONE_PIECE` at the least."""


def background_of(masks: Sequence[Values]) -> int | None:
    """The value that most pixels have, of those that nearly all masks have; None where there is none."""
    total: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for values in masks:
        total.update(values)
        images.update(values.keys())
    often = [value for value, count in images.items() if count >= _WITH_BACKGROUND * len(masks)]
    return max(often, key=lambda value: (total[value], -value), default=None)


def sureness(
    masks: Sequence[Values], pieces: Pieces, *, background: int = 0, plain: int = PLAIN
) -> Sureness | None:
    """How sure it is that values are ids of objects; None where they are as well, or rather, classes.

    Nearly all masks of objects have background between them: where `masks` lack it, this is no question.
    `masks` are in the order of their names. From `plain` ids on it may be certain.
    """
    if sum(background in values for values in masks) < _WITH_BACKGROUND * len(masks):
        return None
    masks = [{v: count for v, count in values.items() if v != background} for values in masks]
    shown = [number for number, values in enumerate(masks) if values]
    sets = _ranked([set(masks[number]) for number in shown])
    if not sets:
        return None
    several = [number for number in shown if len(masks[number]) > 1] or shown
    some = several[:: -(-len(several) // LOOKED_AT)]
    told = _told(sets, [masks[number] for number in shown], cache(partial(pieces, some)), plain)
    return "likely" if told and len(sets) < FEW_IMAGES else told


def _told(
    sets: Sequence[set[int]], masks: Sequence[Values], share: Callable[[], float], plain: int
) -> Sureness | None:
    """What the spread of values tells and, asked only where that leaves it open, the `share` of them that are
    one piece."""
    sizes = [count for values in masks for count in values.values()]
    are_tiny = sum(size <= _TINY for size in sizes) > _MOST_TINY * len(sizes)
    found = _restarting(sets, masks, plain)
    if found is None and _are_spread(masks):
        found = "likely", _ONE_PIECE
    if found is not None:
        told, least = found
        if share() >= least:
            return "likely" if are_tiny else told
        many = max(map(max, sets)) >= 2 * _MANY
        return "likely" if many and share() >= _MOSTLY_ONE_PIECE else None
    if are_tiny:  # values on smoothed edges have pixels here and there
        return None
    found = _unique(sets) or _tracked(sets) or _shuffled(sets, masks)
    return found[0] if found is not None and share() >= found[1] else None


def share_of_one_piece(masks: Iterable[NDArray[np.generic]], background: int = 0) -> float:
    """The share of values that are one piece each, in masks as `one_piece` takes them; these are drawn one by
    one until it is plain that most values are not."""
    single = looked_at = 0
    for mask in masks:
        of_mask, values = one_piece(mask, background)
        single, looked_at = single + of_mask, looked_at + values
        if looked_at >= _ENOUGH_VALUES and single < _PLAINLY_IN_PIECES * looked_at:
            break
    return single / looked_at if looked_at else 0.0


def one_piece(mask: NDArray[np.generic], background: int = 0) -> tuple[int, int]:
    """How many values of a mask, (H, W), not negative, are one piece each but for specks, and how many are
    looked at; `background` is none of them."""
    step = int(np.ceil(np.sqrt(mask.size / _ENOUGH_PIXELS)))
    mask = mask[::step, ::step]
    values = [value for value in _values_of(mask) if value >= 0 and value != background]
    looked_at = values[:: -(-len(values) // _MOST_VALUES)] if values else []
    single = 0
    for value in looked_at:
        part = (mask == value).view(np.uint8)
        left, top, width, height = cv2.boundingRect(part)
        box = part[top : top + height, left : left + width]
        _, _, stats, _ = cv2.connectedComponentsWithStats(box, connectivity=8)
        single += int(stats[1:, cv2.CC_STAT_AREA].max()) >= _MAIN_PIECE * cv2.countNonZero(part)
    return single, len(looked_at)


def _values_of(mask: NDArray[np.generic]) -> list[int]:
    if mask.dtype == np.uint8:  # several times as quick
        return [int(value) for value in np.flatnonzero(np.bincount(mask.reshape(-1), minlength=256))]
    return [int(value) for value in np.unique(mask)]


def _ranked(sets: Sequence[set[int]]) -> list[set[int]]:
    """The sets with each value replaced by its rank, from 1: more frequent ones first, then lower ones."""
    count = Counter(value for one in sets for value in one)
    ordered = sorted(count, key=lambda value: (-count[value], value))
    rank = {value: number for number, value in enumerate(ordered, start=1)}
    return [{rank[value] for value in one} for one in sets]


def _restarting(
    sets: Sequence[set[int]], masks: Sequence[Values], plain: int
) -> tuple[Sureness, float] | None:
    sizes = {len(one) for one in sets}
    highest = max(max(one) for one in sets)
    prefixes = sum(max(one) == len(one) for one in sets) / len(sets)
    missing = 1 - sum(map(len, sets)) / sum(max(one) for one in sets)
    ordered = _in_one_order(masks)
    if len(sizes) == 1:  # all images show the same, as classes do, and as objects may
        may_be = highest > _FEW and prefixes == 1 and (len(sets) < FEW_IMAGES or not any(ordered))
        return ("likely", _ALL_ONE_PIECE) if may_be else None
    rare = sum(highest in one for one in sets) <= len(sets) / 2
    if highest >= _MANY and rare and missing <= 1 - _PREFIX:
        sure = highest >= plain and len(sizes) > 2 and prefixes >= _ONE_PIECE
        return ("certain" if sure else "likely"), _ONE_PIECE
    if prefixes == 1 and not (highest <= _FEW and ordered and all(ordered)):
        return "likely", _ONE_PIECE
    return None


def _are_spread(masks: Sequence[Values]) -> bool:
    """Whether each mask has equal steps up to 255, as ids spread for viewing, and the steps differ."""
    counts = set()
    for values in masks:
        count, found = len(values), sorted(values)
        steps = (_BRIGHTEST / count, _BRIGHTEST // count)
        if not any(
            all(abs(value - step * place) < 1 for place, value in enumerate(found, start=1)) for step in steps
        ):
            return False
        counts.add(count)
    return len(counts - {1}) > 1


def _in_one_order(masks: Sequence[Values]) -> list[bool]:
    """For each two values that are often neighbours, whether the same one is nearly always the larger: then
    each has a look of its own."""
    larger: dict[tuple[int, int], list[bool]] = {}
    for values in masks:
        for one, other in pairwise(sorted(values)):
            larger.setdefault((one, other), []).append(values[one] > values[other])
    often = [found for found in larger.values() if len(found) > FEW_IMAGES]
    return [max(sum(found), len(found) - sum(found)) >= _SAME_ORDER * len(found) for found in often]


def _unique(sets: Sequence[set[int]]) -> tuple[Sureness, float] | None:
    count = Counter(value for one in sets for value in one)
    once = sum(images == 1 for images in count.values())
    if len(sets) > 1 and len(count) >= max(6, 1.5 * len(sets)) and once >= _ONE_PIECE * len(count):
        return "certain", _ONE_PIECE
    return None


def _tracked(sets: Sequence[set[int]]) -> tuple[Sureness, float] | None:
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


def _shuffled(sets: Sequence[set[int]], masks: Sequence[Values]) -> tuple[Sureness, float] | None:
    """Many values in each image, of which none has a look of its own."""
    if len(sets) < FEW_IMAGES or sum(map(len, sets)) < _SHUFFLED * len(sets):
        return None
    return None if any(_in_one_order(masks)) else ("likely", _ALL_ONE_PIECE)
