"""Where what was drawn on an image lies once that is prepared: turned, and made smaller, as the image is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.raster.orientation import FIRST_TRANSPOSED, oriented
from workers.ingest.raster.shrink import Size, centres
from workers.ingest.regions.polygons import Cover
from workers.prepared.run_lengths import compressed, runs_of_part

Boxes = NDArray[np.float64]
"""Left, top, right and bottom of each, (N, 4)."""

_MIRRORED = (2, 3, 6, 7)
_UPSIDE_DOWN = (3, 4, 7, 8)


class Placement:
    """From an image of `drawn` pixels, as displayed or else as stored, to `size` pixels as displayed."""

    def __init__(self, drawn: Size, image: DecodedImage, size: Size) -> None:
        self._orientation = 1 if drawn == image.size else image.orientation
        self._whole = image.size
        self.size = size
        self._rows = _picked(image.size[1], image.kept_size[1], size[1])
        self._columns = _picked(image.size[0], image.kept_size[0], size[0])

    def boxes(self, boxes: Boxes) -> Boxes:
        """The same boxes on the prepared image."""
        width, height = self._whole
        left, top, right, bottom = boxes.T
        if self._orientation >= FIRST_TRANSPOSED:
            left, top, right, bottom = top, left, bottom, right
        if self._orientation in _MIRRORED:
            left, right = width - right, width - left
        if self._orientation in _UPSIDE_DOWN:
            top, bottom = height - bottom, height - top
        across, down = self.size[0] / width, self.size[1] / height
        return np.stack((left * across, top * down, right * across, bottom * down), axis=1)

    def outline(self, cover: Cover) -> bytes:
        """The compressed runs of covered pixels over the prepared image; empty where none is left of them."""
        placed = self.cover(cover)
        if not placed.inside.any():
            return b""
        width, height = self.size
        return compressed(runs_of_part(placed.inside, placed.top, placed.left, height, width))

    def cover(self, cover: Cover) -> Cover:
        """The pixels of the prepared image that take after a covered one."""
        top, left, inside = cover.top, cover.left, cover.inside
        if self._orientation != 1:
            inside = oriented(inside, self._orientation)
            if self._orientation >= FIRST_TRANSPOSED:
                top, left = left, top
            if self._orientation in _MIRRORED:
                left = self._whole[0] - left - inside.shape[1]
            if self._orientation in _UPSIDE_DOWN:
                top = self._whole[1] - top - inside.shape[0]
        if self._rows is not None:
            first, last = np.searchsorted(self._rows, (top, top + inside.shape[0])).tolist()
            inside, top = inside[self._rows[first:last] - top], first
        if self._columns is not None:
            first, last = np.searchsorted(self._columns, (left, left + inside.shape[1])).tolist()
            inside, left = inside[:, self._columns[first:last] - left], first
        return Cover(top, left, inside)


def _picked(whole: int, kept: int, prepared: int) -> NDArray[np.int64] | None:
    """Of `whole` pixels in a row, those that a mask keeps once it was made smaller to `kept` with its image,
    and from that to `prepared`; None where all stay."""
    if whole == prepared:
        return None
    places = centres(whole, kept)
    if kept == prepared:
        return places
    row = np.arange(kept, dtype=np.float32)[None]  # exact: no image has 2 ** 24 pixels in a row
    nearest = cv2.resize(row, (prepared, 1), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(places[nearest[0].astype(np.int64)], np.int64)
