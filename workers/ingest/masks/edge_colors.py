"""Which colours of masks are but the smoothed edges between areas of others."""

from collections.abc import Mapping, Sequence

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
    areas: set[int] = set()
    for member in spread(masks, _LOOKED_AT):
        areas |= _areas(member, read)
    strange = sorted(total.keys() - areas)
    if not 1 < len(areas) <= _MOST_AREAS or len(strange) <= len(areas):
        return set()
    mixed = _are_mixed(strange, sorted(areas))
    edges = {code for code, is_mixed in zip(strange, mixed, strict=True) if is_mixed}
    blurred = sum(total[code] for code in edges)
    return edges if blurred <= MOST_BLURRED * sum(total.values()) else set()


def _areas(member: Member, read: Read) -> set[int]:
    """The colours of pixels whose eight neighbours have the same."""
    try:
        codes = color_codes(rgb_pixels(load(read(member), cv2.IMREAD_COLOR_RGB))).astype(np.float32)
    except Refused:
        return set()
    around = np.ones((3, 3), np.uint8)
    same = cv2.erode(codes, around) == cv2.dilate(codes, around)  # codes below 2 ** 24 are exact as floats
    return {int(code) for code in np.unique(codes[same])}


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
