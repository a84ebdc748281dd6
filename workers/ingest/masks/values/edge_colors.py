"""Which colours of masks are but the smoothed edges between areas of others."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.decode import load, rgb_pixels
from workers.ingest.pictures.mask_files import color_codes, color_of
from workers.ingest.problems import Refused

MOST_BLURRED = 0.05
"""The share of a set's pixels up to which colours that are no class are edges of those that are."""

_LOOKED_AT = 64
_MOST_AREAS = 64
_FEWEST_PIXELS = 4
_MOST_PIECES = 32
_FEWEST = 4  # two areas and one edge may be three classes
_NEAR_MIX = 24.0
"""How far in RGB, of 442, an edge's colour is from the mixtures of two areas' at most."""


def edge_colors(masks: Sequence[Member], total: Mapping[int, int], read: Read) -> set[int]:
    """The colours, 0xRRGGBB, that lie on edges: none of their pixels is amid others of its colour, they are
    mixtures of two that have areas, and more than these. `total` counts the pixels of all colours.

    Empty where edges are not what such colours are.
    """
    if len(total) < _FEWEST:
        return set()
    inner: set[int] = set()
    for member in spread(masks, _LOOKED_AT):
        inner |= areas(member, read)
    strange = sorted(total.keys() - inner)
    if not 1 < len(inner) <= _MOST_AREAS or len(strange) <= len(inner):
        return set()
    mixed = _are_mixed(strange, sorted(inner))
    edges = {code for code, is_mixed in zip(strange, mixed, strict=True) if is_mixed}
    edges -= _of_small_objects(masks, edges, read)
    blurred = sum(total[code] for code in edges)
    return edges if blurred <= MOST_BLURRED * sum(total.values()) else set()


def areas(member: Member, read: Read) -> set[int]:
    """The colours, 0xRRGGBB, of pixels whose eight neighbours have the same."""
    codes = _codes(member, read)
    if codes is None:
        return set()
    around = np.ones((3, 3), np.uint8)
    same = cv2.erode(codes, around) == cv2.dilate(codes, around)
    return {int(code) for code in np.unique(codes[same])}


def _codes(member: Member, read: Read) -> NDArray[np.float32] | None:
    """The colours of a mask as numbers, which are exact as floats below 2 ** 24; None where it is broken."""
    try:
        return color_codes(rgb_pixels(load(read(member), cv2.IMREAD_COLOR_RGB))).astype(np.float32)
    except Refused:
        return None


def _of_small_objects(masks: Sequence[Member], edges: Collection[int], read: Read) -> set[int]:
    """The colours of which most pixels are of small objects: pieces that lie within one other colour."""
    objects: Counter[int] = Counter()
    all_of_them: Counter[int] = Counter()
    for member in spread(masks, _LOOKED_AT):
        codes = _codes(member, read)
        if codes is None:
            continue
        for code in set(edges) & set(np.unique(codes).astype(int).tolist()):
            there = codes == code
            all_of_them[code] += int(there.sum())
            objects[code] += _alone(there, codes)
    return {code for code, count in objects.items() if 2 * count > all_of_them[code]}


def _alone(there: NDArray[np.bool_], codes: NDArray[np.float32]) -> int:
    """The pixels of compact pieces that one other colour surrounds."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8), connectivity=8)
    pixels = 0
    for piece in range(1, min(count, _MOST_PIECES)):
        left, top, width, height, area = stats[piece]
        box = np.s_[max(top - 1, 0) : top + height + 1, max(left - 1, 0) : left + width + 1]
        own = (pieces[box] == piece).astype(np.uint8)
        ring = (cv2.dilate(own, np.ones((3, 3), np.uint8)) > own).astype(bool)
        is_compact = area >= _FEWEST_PIXELS and 2 * area >= width * height and min(width, height) > 1
        if is_compact and len(np.unique(codes[box][ring])) == 1:
            pixels += int(area)
    return pixels


def _are_mixed(strange: Sequence[int], areas: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each colour is near the line from one area's colour to another's, in RGB."""
    points = np.array([color_of(code) for code in strange], np.float32)
    ends = np.array([color_of(code) for code in areas], np.float32)
    nearest = np.full(len(points), np.inf, np.float32)
    for number, start in enumerate(ends[:-1]):
        ways = ends[number + 1 :] - start
        along = (points - start) @ ways.T / np.maximum((ways**2).sum(axis=1), 1)
        reached = start + np.clip(along, 0, 1)[..., None] * ways
        distances = np.sqrt(((points[:, None] - reached) ** 2).sum(axis=2))
        nearest = np.minimum(nearest, distances.min(axis=1))
    return np.asarray(nearest <= _NEAR_MIX, np.bool_)
