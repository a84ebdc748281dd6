"""Masks with many values of which most are nowhere amid their own: edges that were smoothed when masks were
made larger or smaller, between levels that cannot be told from these by how often they occur."""

from collections import Counter
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from workers.ingest.decision.stray_values import Strays
from workers.ingest.masks.survey import spread
from workers.ingest.problems import Refused
from workers.ingest.reading.statistics import SampleCounts
from workers.prepared.version import Uint8

_MANY = 16
"""Fewer values are what they say, or are asked about as stray ones."""
_FEWEST_LEVELS = 2
_LOOKED_AT = 16
_AMID = 0.1
"""The share of a level's pixels that are amid others of it."""
_OF_ALL = 0.05
"""The share of all such pixels, beside those of the most frequent value, that a level has."""


def soft_edges(readings: Sequence[SampleCounts], masks_of: Callable[[int], Uint8]) -> Strays | None:
    """The values that lie on edges, with the levels between which they do; None where values are classes.

    That is so where more than half of the many values are nowhere amid their own, and mostly between two
    neighbours, while others have areas: thin objects lie beside lower values, or higher ones. Raises Refused
    where such masks show no levels.
    """
    total: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
    if len(total) < _MANY:
        return None
    amid: Counter[int] = Counter()
    between: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    around = np.ones((3, 3), np.uint8)
    for number in spread(range(len(readings)), _LOOKED_AT):
        mask = masks_of(number)
        if mask.ndim != 2:
            return None
        lowest, highest = cv2.erode(mask, around), cv2.dilate(mask, around)
        amid += _counts(mask[lowest == highest])
        between += _counts(mask[(lowest < mask) & (mask < highest)])
        seen += _counts(mask)
    few = [value for value in seen if amid[value] < _AMID * seen[value]]
    pixels, smoothed = (sum(counts[value] for value in few) for counts in (seen, between))
    if 2 * len(few) <= len(seen) or 2 * smoothed <= pixels or not amid:
        return None
    rest = amid.total() - max(amid.values(), default=0)
    levels = frozenset(value for value in seen.keys() - set(few) if amid[value] >= max(_OF_ALL * rest, 1))
    if len(levels) < _FEWEST_LEVELS:
        raise Refused(
            "mask_values_unclear",
            f"The masks have {len(total)} values, of which {len(few)} are nowhere amid their own, as where "
            "masks were made larger or smaller with smoothing, or compressed. Which levels they mean cannot "
            "be told.",
            "Make them anew with the nearest neighbour and save them as PNG; or name the `classes`, or send "
            "a `label_map`.",
        )
    others = {value: count for value, count in total.items() if value not in levels}
    files = [reading.mask_file for reading in readings if others.keys() & reading.values.keys()]
    return Strays(levels=levels, pixels=others, files=files, are_noise=True)


def _counts(values: Uint8) -> Counter[int]:
    found, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
