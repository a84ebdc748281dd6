"""Squares cut out of an image at its own scale."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import Uint8

Corner = tuple[int, int]
"""Top and left of a square, in pixels of the image; below 0 where it reaches beyond."""

HasClass = Callable[[Uint8, int], NDArray[np.bool_]]
"""Where a mask has a class."""


def cut(image: Uint8, mask: Uint8, corner: Corner, size: int, outside: int) -> tuple[Uint8, Uint8]:
    """The square of `size` x `size` pixels at `corner`; beyond the image it is black and `outside`."""
    (top, left), (height, width) = corner, mask.shape[:2]
    square = np.zeros((size, size, 3), np.uint8)
    labels = np.full((size, size, *mask.shape[2:]), outside, np.uint8)
    first_row, first_column = max(0, top), max(0, left)
    rows = slice(first_row, max(first_row, min(height, top + size)))
    columns = slice(first_column, max(first_column, min(width, left + size)))
    inside = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    square[inside], labels[inside] = image[rows, columns], mask[rows, columns]
    return square, labels


def random_corner(
    mask: Uint8, size: int, sought: Sequence[int], has_class: HasClass, numbers: np.random.Generator
) -> Corner:
    """A corner drawn evenly or, where the mask holds any class of `sought`, around a pixel of one of them."""
    found = [index for index in sought if has_class(mask, index).any()]
    if found:
        chosen = numbers.choice(found)
        places = np.flatnonzero(has_class(mask, int(chosen)))
        centre = np.unravel_index(numbers.choice(places), mask.shape[:2])
        top, left = (
            _inside(int(middle) - size // 2, side, size)
            for middle, side in zip(centre, mask.shape[:2], strict=True)
        )
        return top, left
    top, left = (
        _inside(int(numbers.integers(0, max(1, side - size + 1))), side, size) for side in mask.shape[:2]
    )
    return top, left


def tile_corners(height: int, width: int, size: int) -> list[Corner]:
    """Corners of the squares that cover an image, each pixel once; the last ones reach beyond it."""
    return [(top, left) for top in range(0, height, size) for left in range(0, width, size)]


def rare_classes(counts: NDArray[np.int64]) -> list[int]:
    """Classes that have less than half of the pixels that each would have if all had alike."""
    limit = counts.sum() / len(counts) / 2
    return [index for index, count in enumerate(counts) if 0 < count < limit]


def _inside(start: int, side: int, size: int) -> int:
    """Moved so that the square lies within the image, or the image in the middle of the square."""
    return (side - size) // 2 if side <= size else min(max(0, start), side - size)
