"""Places of images that speak for all: every class is among them, as often as among all.

Images are taken in their order. First those that bring in the most classes which are not there yet, until all
are; then always the one that brings how many images each class has nearest to its share.
"""

import numpy as np
from numpy.typing import NDArray

Presence = NDArray[np.bool_]
"""(images, classes): where an image has a class."""

_LAST = 1e12
"""More than any image can gain."""


def spread_places(present: Presence, most: int) -> list[int]:
    """The places of `most` images, fewer than there are, earlier ones first where nothing else decides."""
    chosen = _improved(present, _covering(present, most))
    wanted = present.sum(axis=0) * most / len(present)
    # Images without any class come last: nothing in them can be scored.
    worth = np.where(present.any(axis=1), 0.0, -_LAST)
    worth[chosen] = -np.inf
    while len(chosen) < most:
        lacking = wanted - present[chosen].sum(axis=0)
        # What is left of the sum of squares of what lacks, less what there was.
        gain = present @ (2 * lacking - 1) + worth
        chosen.append(int(gain.argmax()))
        worth[chosen[-1]] = -np.inf
    return chosen


def _covering(present: Presence, most: int) -> list[int]:
    """Up to `most` places, each with the most classes that those before lack, until none is lacking."""
    missing, chosen = present.any(axis=0), list[int]()
    while missing.any() and len(chosen) < most:
        chosen.append(int((present & missing).sum(axis=1).argmax()))
        missing = missing & ~present[chosen[-1]]
    return chosen


def _improved(present: Presence, chosen: list[int]) -> list[int]:
    """Swap single places as long as that brings in more classes: the greedy choice may miss some."""
    for slot in range(len(chosen)):
        others = present[chosen[:slot] + chosen[slot + 1 :]].any(axis=0)
        covered = (present | others).sum(axis=1)
        if covered.max() > covered[chosen[slot]]:
            swapped = [*chosen[:slot], int(covered.argmax()), *chosen[slot + 1 :]]
            return _improved(present, swapped)
    return chosen
