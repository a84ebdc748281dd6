"""COCO's compressed run lengths, in which the outlines of objects are stored.

Runs are of pixels outside and inside in turn, outside first, down the columns of the image, from left to
right. Each is a number of 5-bit digits, the lowest first, the last one signed; from the fourth on, it is the
difference to the one two before. Format: cocoapi, common/maskApi.c (rleEncode, rleToString, rleFrString).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Runs = NDArray[np.int64]

MORE, DIGIT, SIGN, OFFSET = 0x20, 0x1F, 0x10, 48
"""Of a digit: there are more, its value, the sign of the last; and what is added to make it a character."""
_BEYOND = 16 * 32 ** np.arange(12, dtype=np.int64)
"""Numbers that need a digit more than those before."""


def runs_of(mask: NDArray[Any]) -> Runs:
    """The runs of a mask, (H, W), of what is not 0; the last may be outside."""
    flat = np.ascontiguousarray(np.asarray(mask, np.bool_).T).reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0] if not flat[0] else [0, 0], changes, [flat.size]))
    return np.diff(bounds)


def runs_of_part(inside: NDArray[np.bool_], top: int, left: int, height: int, width: int) -> Runs:
    """The runs of a mask of height x width that is outside but for a part, (h, w), at that row and column."""
    rows = len(inside)
    if not inside.size:
        return np.array([height * width], np.int64)
    if rows < height:  # a row that is outside parts the columns
        columns = np.zeros((inside.shape[1], rows + 1), np.bool_)
        columns[:, :rows] = inside.T
    else:
        columns = np.ascontiguousarray(inside.T)
    flat = columns.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    ends = ([0] if flat[0] else [], changes, [flat.size] if flat[-1] else [])
    column, row = np.divmod(np.concatenate(ends).astype(np.int64), columns.shape[1])
    edges = (left + column) * height + top + row
    end = height * width
    bounds = np.concatenate(([0], edges, [end] if not edges.size or edges[-1] < end else []))
    return np.diff(bounds).astype(np.int64)


def compressed(runs: NDArray[np.integer[Any]]) -> bytes:
    """The runs as characters."""
    numbers = np.array(runs, np.int64)
    numbers[3:] -= np.asarray(runs, np.int64)[1:-2]
    counts = np.searchsorted(_BEYOND, np.maximum(numbers, ~numbers), side="right") + 1
    ends = np.cumsum(counts)
    places = np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - counts, counts)
    digits = (np.repeat(numbers, counts) >> (5 * places)) & DIGIT
    digits += MORE + OFFSET
    digits[ends - 1] -= MORE
    return bytes(digits.astype(np.uint8))


def decompressed(text: bytes) -> Runs:
    """The runs of characters that `compressed` or COCO's own code wrote; nothing is checked."""
    digits = np.frombuffer(text, np.uint8).astype(np.int64) - OFFSET
    if not digits.size:
        return digits
    ends = np.flatnonzero((digits & MORE) == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    places = np.arange(digits.size) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((digits & DIGIT) << (5 * places), starts)
    numbers = numbers - np.where(digits[ends] & SIGN, 1 << (5 * lengths), 0)
    for first in (1, 2):
        numbers[first::2] = np.cumsum(numbers[first::2])
    return numbers


def rasterize_runs(runs: Runs, mask: NDArray[np.uint8]) -> None:
    """Set the pixels inside of a mask, (H, W), to 1. Runs may end early, the rest is outside."""
    height = mask.shape[0]
    runs = runs[: runs.size // 2 * 2]
    if not runs.size:
        return
    first, last = int(runs[0]) // height, -(-int(runs.sum()) // height)
    flat = np.zeros((last - first) * height, np.uint8)
    lengths = runs.copy()
    lengths[0] -= first * height
    flat[: int(lengths.sum())] = np.repeat(np.arange(lengths.size, dtype=np.int64) % 2, lengths)
    mask[:, first:last] |= flat.reshape(last - first, height).T
