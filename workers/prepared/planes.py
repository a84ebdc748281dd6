"""Masks whose pixels may have several classes: a bit for each, in as many bytes, planes, as these take.

A mask of one plane is (H, W) uint8; one of more, of sets with more than eight classes, (H, W, P): bit c % 8
of plane c // 8 is class c. Nothing else of a mask differs.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]

BITS = 8
"""Classes of a plane."""


def planes_of(classes: int) -> int:
    """How many planes a mask of so many classes has, of which a pixel may have several."""
    return max(1, -(-classes // BITS))


def shape_of(height: int, width: int, planes: int) -> tuple[int, ...]:
    """Of a mask of that height and width."""
    return (height, width) if planes == 1 else (height, width, planes)


def bit_of(mask: Uint8, index: int, planes: int) -> NDArray[np.bool_]:
    """Where a mask of any shape, whose last axis are its planes if there are several, has the class."""
    plane = mask if planes == 1 else mask[..., index // BITS]
    return np.asarray((plane >> (index % BITS)) & 1, np.bool_)


def packed(present: NDArray[np.bool_]) -> Uint8:
    """The mask, (H, W) or (H, W, P), of where each class is, (C, H, W)."""
    planes = np.packbits(present, axis=0, bitorder="little")
    return np.ascontiguousarray(planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1))


def recoded(masks: Uint8, planes: int, sources: Mapping[int, Sequence[int]], classes: int) -> Uint8:
    """Masks of any shape, whose last axis are their planes if there are several, with class c where any of
    the bits `sources[c]` is, of so many classes."""
    there = np.zeros((classes, *(masks.shape if planes == 1 else masks.shape[:-1])), np.bool_)
    for index, bits in sources.items():
        for bit in bits:
            there[index] |= bit_of(masks, bit, planes)
    return packed(there)


def combinations(mask: Uint8) -> dict[int, int]:
    """How many pixels a mask, (H, W, P), has of each combination of bits, which is a number of P bytes, the
    lowest first."""
    rows = mask.reshape(-1, mask.shape[-1])
    # Neighbours are mostly alike: of each run the first is looked at.
    starts = np.flatnonzero(np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)]))
    lengths = np.diff(np.append(starts, len(rows)))
    kinds, which = np.unique(rows[starts], axis=0, return_inverse=True)
    counts = np.bincount(which.reshape(-1), weights=lengths, minlength=len(kinds))
    return {
        int.from_bytes(kind.tobytes(), "little"): int(count)
        for kind, count in zip(kinds, counts, strict=True)
    }
