"""Objects of images as arrays, in an image and in the square that is made of it. Without torch."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import Uint8
from workers.training.data.resizing import square_inside

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SquareObjects:
    """The objects of a square: `boxes` (M, 4) float32, left, top, right and bottom in its pixels, half-open;
    `classes` (M,) int64 from 0; `crowd` (M,) bool; `masks` (M, S, S) uint8 of 0 and 1, None where there are
    boxes alone."""

    boxes: Floats
    classes: Numbers
    crowd: NDArray[np.bool_]
    masks: Uint8 | None = None

    def chosen(self, places: Numbers) -> "SquareObjects":
        """Those at the places."""
        return SquareObjects(
            boxes=self.boxes[places],
            classes=self.classes[places],
            crowd=self.crowd[places],
            masks=None if self.masks is None else self.masks[places],
        )

    def bounded_by_masks(self) -> "SquareObjects":
        """Each box as tight as its mask, objects without any pixel left out; as they are where there are no
        masks."""
        if self.masks is None:
            return self
        seen = self.chosen(np.flatnonzero(self.masks.any(axis=(1, 2))))
        assert seen.masks is not None  # noqa: S101 - narrows the type
        return replace(
            seen, boxes=np.array([_bounds(mask) for mask in seen.masks], np.float32).reshape(-1, 4)
        )


@dataclass(frozen=True, kw_only=True)
class Frame:
    """How an image of width x height lies in a square: the pixel where it begins, and pixels of the square
    for one of the image, across and down."""

    left: float
    top: float
    across: float
    down: float
    width: int
    height: int

    def into_square(self, boxes: Floats) -> Floats:
        """Boxes of the image, (M, 4), in pixels of the square."""
        return np.asarray(boxes * self._scales + self._starts, np.float32)

    def into_image(self, boxes: Floats) -> Floats:
        """Boxes of the square, (M, 4), in pixels of the image, cut off where it ends."""
        moved = (boxes - self._starts) / self._scales
        limits = np.array([self.width, self.height] * 2, np.float32)
        return np.asarray(np.clip(moved, 0, limits), np.float32)

    @property
    def _scales(self) -> Floats:
        return np.array([self.across, self.down] * 2, np.float32)

    @property
    def _starts(self) -> Floats:
        return np.array([self.left, self.top] * 2, np.float32)


def frame_of(height: int, width: int, size: int, fit: str) -> Frame:
    """How `image_square` puts an image of height x width into a square of `size` pixels."""
    rows, columns = square_inside(height, width, size, fit)
    return Frame(
        left=columns.start,
        top=rows.start,
        across=(columns.stop - columns.start) / width,
        down=(rows.stop - rows.start) / height,
        width=width,
        height=height,
    )


def box_areas(boxes: Floats) -> Floats:
    """Of boxes (M, 4) in pixels, (M,)."""
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def _bounds(mask: Uint8) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
