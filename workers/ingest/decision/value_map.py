"""What mask values count as before classes are looked at: smoothed edges made hard, the client's label map.

A value map has 256 entries: the value that each value counts as, or NO_CLASS where it is ignored.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.classes.class_rules import ClassRules, listed_values
from workers.ingest.masks.survey import spread
from workers.ingest.masks.values.grey_levels import gathered
from workers.ingest.pictures.mask_files import HALF, WHITE
from workers.ingest.problems import ProblemLog
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts
from workers.prepared.version import Uint8

SOFT_VALUES = 16
SOFT_SHARE = 0.9
"""A mask has soft edges where more values than SOFT_VALUES occur and 0 and 255 cover this share of it."""

LEVEL_SHARE = 1e-3
"""A level, which may be a class, has at least this share of the set's pixels."""

NEAR = 24
"""How far noise takes values away from a level."""

_FEW_LEVELS = 3
_LOOKED_AT = 16
_MOST_LONELY = 0.5
_MOSTLY = 0.5

LabelMap = dict[int, int | None]

UNCHANGED = list(range(256))
"""The value map in which each value counts as itself."""


def label_mapped(
    hard: Sequence[int],
    label_map: Mapping[int, int | None] | None,
    readings: Collection[SampleCounts],
    log: ProblemLog,
) -> list[int]:
    """The map `hard`, with what the label map says in the place of what it has."""
    named = label_map or {}
    _warn_of_absent(named, {value for reading in readings for value in reading.values}, log)
    return [_or_no_class(named.get(value, value)) for value in hard]


def _warn_of_absent(named: Collection[int], seen: Collection[int], log: ProblemLog) -> None:
    absent = sorted(set(named) - set(seen))
    if absent and not log.has_errors:  # they may be in what could not be read
        log.warning(
            "label_map_absent",
            None,
            f"No mask has a pixel of {len(absent)} value(s) of the label map: {listed_values(absent)}.",
            f"Check the label map: it goes by the values as sent, which are {listed_values(seen)}.",
        )


def hardened(
    rules: ClassRules | None,
    readings: Sequence[SampleCounts],
    masks_of: Callable[[int], Uint8],
    log: ProblemLog,
) -> list[int]:
    """The values, but part all values at HALF into 0 and 255 where masks of these two were smoothed.

    `readings` are in the order of `masks_of`.
    """
    whites = any(WHITE in reading.values for reading in readings)
    soft = [reading for reading in readings if whites and _is_soft(reading)]
    named = set(rules.names) if rules else set()
    if not soft or any(1 < value < WHITE for value in named):
        return UNCHANGED  # values between are classes, or the check of values names them
    if all(_plain_share(reading) >= SOFT_SHARE for reading in readings):
        if _has_level_between(readings) or _has_areas_between(readings, masks_of):
            return UNCHANGED
        for reading in soft:
            log.warning(
                "mask_soft_edges",
                reading.mask_file,
                f"The mask has {len(reading.values)} different values, nearly all pixels being 0 or 255: its "
                f"edges are smoothed. Values from {HALF} on are taken as 255, the others as 0.",
                "Nothing, if that is meant; else save it without smoothing.",
            )
        return [WHITE if value >= HALF else 0 for value in UNCHANGED]
    for reading in soft:
        log.error(
            "mask_soft_edges",
            reading.mask_file,
            f"The mask has {len(reading.values)} different values, nearly all pixels being 0 or 255: its "
            "edges are smoothed. Other masks of the set have more classes than these two.",
            "Save it without smoothing (nearest neighbour).",
        )
    return UNCHANGED


def _has_level_between(readings: Collection[SampleCounts]) -> bool:
    """Whether, of the values between 0 and 255 and not near to these, a few have most pixels: on edges, all
    have about as many."""
    total: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
    between = Counter({value: count for value, count in total.items() if NEAR < value < WHITE - NEAR})
    most = sum(count for _, count in between.most_common(_FEW_LEVELS))
    return most >= max(_MOSTLY * between.total(), LEVEL_SHARE * total.total())


def _has_areas_between(readings: Sequence[SampleCounts], masks_of: Callable[[int], Uint8]) -> bool:
    """Whether greys between 0 and 255 gather about levels in areas of their own, or lie apart from white: on
    edges, they do neither."""
    numbers = [number for number, reading in enumerate(readings) if _is_soft(reading)]
    masks = [masks_of(number) for number in spread(numbers, _LOOKED_AT)]
    levels = gathered(masks)
    if levels is not None and any(0 < level < WHITE for level in levels):
        return True
    between = [(mask > NEAR) & (mask < WHITE - NEAR) for mask in masks]
    lonely = sum(_lonely(there, mask) for there, mask in zip(between, masks, strict=True))
    return lonely > _MOST_LONELY * sum(int(there.sum()) for there in between)


def _lonely(there: NDArray[np.bool_], mask: Uint8) -> int:
    """The pixels of pieces that touch no white, as edges of white would."""
    _, pieces = cv2.connectedComponents(there.astype(np.uint8), connectivity=8)
    near_white = cv2.dilate((mask >= WHITE - NEAR).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    touching = np.unique(pieces[near_white & there])
    return int((there & ~np.isin(pieces, touching)).sum())


def _is_soft(reading: SampleCounts) -> bool:
    return len(reading.values) > SOFT_VALUES and _plain_share(reading) >= SOFT_SHARE


def _plain_share(reading: SampleCounts) -> float:
    plain = reading.values.get(0, 0) + reading.values.get(WHITE, 0)
    return plain / (reading.height * reading.width)


def _or_no_class(value: int | None) -> int:
    return NO_CLASS if value is None else value
