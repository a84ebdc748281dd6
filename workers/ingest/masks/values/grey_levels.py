"""Finds the levels of masks whose values are no class ids as they are.

They may be greys that are blurred or noisy, numbers above 255, or fractions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import cv2
import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.rescaled import rescaled
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.mask_files import decode_grey, decode_numbers
from workers.ingest.problems import Refused
from workers.prepared.version import Uint8

Levels = Mapping[float, int]
"""The mask value of each level that masks have."""

_LOOKED_AT = 32
_LEAST = 1e-3
"""A level of a JPEG has at least this share of the pixels in flat areas."""
_FLAT = 6
_APART = 32
"""Levels of a JPEG are that far from each other: compression moves the grey of an area by less than half."""
_GATHERED = 0.99
_MOST_GREYS = 9
_FEW = 8
_WHITE = 255
_AROUND = np.ones((3, 3), np.uint8)
_MOST_LEVELS = 64
_GROUP = 1000
_LARGEST_ID = 255


def jpeg_levels(masks: Sequence[Member], others: Iterable[Member], read: Read) -> Levels | None:
    """The greys about which those of the areas of JPEG masks gather.

    None where they do not, or are black and white alone, or where `others`, which are no JPEGs, have values
    that are none of these.
    """
    levels = gathered(_decoded(spread(masks, _LOOKED_AT), read))
    if levels is None or levels in ([0], [0, _WHITE]):
        return None
    if all(_has_only(member, levels, read) for member in others):
        return {level: level for level in levels}
    return None


def _has_only(member: Member, levels: Sequence[int], read: Read) -> bool:
    """Whether all values of a mask are levels, or beside one as the grey of an area in a JPEG may be."""
    numbers = _numbers(member, read)
    near = {level + step for level in levels if level > _FLAT for step in (-1, 0, 1)}
    return numbers is not None and numbers <= near | set(levels)


def _decoded(masks: Iterable[Member], read: Read) -> Iterator[Uint8]:
    for member in masks:
        try:
            yield decode_grey(read(member))
        except Refused:
            continue


def gathered(masks: Iterable[Uint8]) -> list[int] | None:
    """The greys, ascending, about which those of all areas gather; None where they do not. What is near to
    black and white is that."""
    flat: Counter[int] = Counter()
    for grey in masks:
        inner = cv2.dilate(grey, _AROUND) - cv2.erode(grey, _AROUND) <= _FLAT
        flat.update({v: n for v, n in enumerate(np.bincount(grey[inner], minlength=256).tolist()) if n})
    levels = _peaks(flat)
    near = sum(n for grey, n in flat.items() if min(abs(grey - one) for one in levels) < _APART // 2)
    if near < _GATHERED * flat.total() or not 2 <= len(levels) <= _MOST_GREYS:
        return None
    ends = dict.fromkeys(range(_FLAT), 0) | dict.fromkeys(range(_WHITE - _FLAT + 1, _WHITE), _WHITE)
    return sorted(ends.get(level, level) for level in levels)


def _peaks(flat: Counter[int]) -> list[int]:
    """The greys that many pixels have, each far from all that more have."""
    levels: list[int] = []
    for grey, _ in sorted(flat.items(), key=lambda entry: (-entry[1], entry[0])):
        around = sum(flat[one] for one in range(grey - _FLAT, grey + _FLAT + 1))
        if around >= _LEAST * flat.total() and all(abs(grey - one) >= _APART for one in levels):
            levels.append(grey)
    return levels


def are_distinct(masks: Iterable[Uint8], different: int) -> bool:
    """Whether a mask has areas, each of one grey, whose greys are too far from each other for noise, and too
    near for levels that noise could be told from: then all are classes. Of few `different` values, fewer than
    noise leaves, any two are far."""
    least = 1 if different <= _FEW else _FLAT + 1
    for grey in masks:
        even = cv2.dilate(grey, _AROUND) == cv2.erode(grey, _AROUND)
        values, counts = np.unique(grey[even], return_counts=True)
        found = values[counts >= _LEAST * grey.size].astype(int)
        if ((np.diff(found) >= least) & (np.diff(found) < _APART)).any():
            return True
    return False


def number_levels(masks: Sequence[Member], others: Iterable[Member], read: Read) -> Levels | None:
    """A value from 0 on for each number that masks have, in order, where some are above 255 or no whole
    numbers; None where they are ids, too many, or `1000 * class + object`.

    None, too, where `others`, of 8 bits, have numbers that these lack, or some have the ids of others times
    a factor: then the set's masks were written in more than one way.
    """
    found: set[float] = set()
    each: list[set[float]] = []
    for member in masks:
        numbers = _numbers(member, read)
        if numbers is None:
            return None
        each.append(numbers)
        found |= numbers
        if len(found) > _MOST_LEVELS:
            return None
    ordered = sorted(found)
    if not ordered or ordered[0] < 0 or all(one.is_integer() and one <= _LARGEST_ID for one in ordered):
        return None
    grouped = [one // _GROUP for one in ordered if one >= _GROUP]
    if len(set(grouped)) < len(grouped) or rescaled(each):
        return None
    if any(not (_numbers(member, read) or found) <= found for member in others):
        return None
    return {one: value for value, one in enumerate(ordered)}


def _numbers(member: Member, read: Read) -> set[float] | None:
    """The numbers that a mask has; None where it cannot be read."""
    try:
        return set(np.unique(decode_numbers(read(member))).tolist())
    except Refused:
        return None
