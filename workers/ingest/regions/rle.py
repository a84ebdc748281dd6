"""COCO's run-length masks: runs of background and object in turn, down the columns of the image.

Format: cocoapi, common/maskApi.c (rleToString, rleFrString). Decoded here, since that code trusts its input.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.ingest.pictures.limits import MAX_DRAWN_PIXELS
from workers.ingest.problems import Refused
from workers.ingest.regions.masks import Outline, Sides
from workers.ingest.regions.polygons import Cover

_MOST_DIGITS = 6  # of 5 bits each: more than any count of pixels needs
_OFFSET = 48  # of the characters that stand for digits
_DIGIT, _MORE, _SIGN = 0x1F, 0x20, 0x10


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs(Outline):
    """A region of an image of `width` x `height` pixels: `runs` of outside and inside in turn, outside first.

    They go down the columns, from left to right, and end with one that is inside.
    """

    value: int
    width: int
    height: int
    runs: NDArray[np.signedinteger[Any]]

    @property
    def area(self) -> float:
        """See `Region.area`."""
        return float(self.runs[1::2].sum())

    def cost(self, width: int, height: int) -> float:
        """See `Region.cost`."""
        first, last = self._columns()
        return float((last - first) * self.height)

    @property
    def box(self) -> Sides:
        """See `Region.box`."""
        first, last = self._columns()
        if first == last:
            return 0, 0, 0, 0
        ends = np.cumsum(self.runs)
        starts, stops = ends[:-1:2], ends[1::2]
        inside = stops > starts
        top = starts[inside] % self.height
        bottom = (stops[inside] - 1) % self.height
        if ((stops[inside] - 1) // self.height > starts[inside] // self.height).any():
            return first, 0, last, self.height
        return first, int(top.min()), last, int(bottom.max()) + 1

    def cover(self, height: int, width: int) -> Cover:
        """See `Region.cover`; raises Refused where the image is of another size."""
        if (height, width) != (self.height, self.width):
            raise _broken(f"it is for {self.width}x{self.height} pixels, and the image {width}x{height}")
        first, last = self._columns()
        flat = np.zeros((last - first) * self.height, np.bool_)
        if flat.size:
            runs = self.runs.copy()
            runs[0] -= first * self.height
            flat[: runs.sum()] = np.repeat(np.arange(runs.size) % 2 == 1, runs)
        return Cover(0, first, flat.reshape(last - first, self.height).T)

    def _columns(self) -> tuple[int, int]:
        """The first column that is covered, and the one after the last."""
        if not self.runs.size:
            return 0, 0
        return int(self.runs[0]) // self.height, -(-int(self.runs.sum()) // self.height)


def read_rle(value: int, counts: object, size: object) -> Runs:
    """The region of `counts`, a list of numbers or their compressed text, and `size`, [height, width].

    Runs may end early, the rest is outside. Raises Refused where they do not fit.
    """
    if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int for side in size):
        raise _broken(f"its size is {str(size)[:40]}, not [height, width]")
    height, width = size
    if min(height, width) < 1 or height * width > MAX_DRAWN_PIXELS:
        raise _broken(f"it is for {width}x{height} pixels; from 1x1 to {MAX_DRAWN_PIXELS} in all are read")
    runs = _decompressed(counts) if isinstance(counts, str) else _listed(counts)
    if runs.size and (int(runs.min()) < 0 or int(runs.max()) > height * width):
        raise _broken("a run is negative or longer than the image")
    total = int(runs.sum())
    if total > height * width:
        raise _broken(f"its runs make {total} pixels, and the image has {height * width}")
    runs = runs[: runs.size // 2 * 2].astype(np.int32)
    while runs.size and runs[-1] == 0:
        runs = runs[:-2]
    return Runs(value=value, width=width, height=height, runs=runs)


def _listed(counts: object) -> NDArray[np.int64]:
    if not isinstance(counts, list) or not all(type(count) is int for count in counts):
        raise _broken("its counts are no list of whole numbers")
    try:
        return np.array(counts, np.int64)
    except OverflowError as error:
        raise _broken("a count is beyond 64 bits") from error


def _decompressed(text: str) -> NDArray[np.int64]:
    """Numbers of 5-bit digits, the lowest first, the last one signed; from the fourth on, each is the
    difference to the one two before."""
    digits = np.array([ord(char) - _OFFSET for char in text], np.int64)
    if digits.size and (int(digits.min()) < 0 or int(digits.max()) >= 2 * _MORE):
        raise _broken("its counts have characters that compressed runs never have")
    ends = np.flatnonzero((digits & _MORE) == 0)
    if digits.size and (not ends.size or ends[-1] != digits.size - 1):
        raise _broken("its counts end in the middle of a number")
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    lengths = ends - starts + 1
    if lengths.size and lengths.max() > _MOST_DIGITS:
        raise _broken("a count is beyond all pictures")
    places = np.arange(digits.size) - np.repeat(starts, lengths)
    weighed = (digits & _DIGIT) << (5 * places)
    numbers = np.add.reduceat(weighed, starts) if starts.size else weighed
    numbers = numbers - np.where(digits[ends] & _SIGN, 1 << (5 * lengths), 0)
    for first in (1, 2):
        numbers[first::2] = np.cumsum(numbers[first::2])
    return numbers


def _broken(what: str) -> Refused:
    return Refused("rle_broken", f"A run-length mask cannot be read: {what}.", "Export the annotations anew.")
