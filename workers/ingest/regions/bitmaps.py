"""Regions that annotations hold as pictures or as runs of pixels; they unpack within bounds."""

import base64
import binascii

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.pictures.decode import load
from workers.ingest.pictures.limits import MAX_DRAWN_PIXELS
from workers.ingest.problems import Refused
from workers.ingest.regions.masks import MAX_PAINTED, Bitmap
from workers.ingest.regions.polygons import Bools


class Budget:
    """How many pixels the bitmaps of one image may unpack to, empty ones and overlaps counted."""

    def __init__(self, pixels: int = MAX_PAINTED) -> None:
        self._pixels = pixels
        self._left = pixels

    def spend(self, pixels: int) -> None:
        """Take a bitmap of so many pixels; raises Refused where it is too large, or the sum is."""
        if not 0 < pixels <= MAX_DRAWN_PIXELS:
            raise bad_bitmap(f"it has {pixels} pixels; from 1 to {MAX_DRAWN_PIXELS} are read")
        self._left -= pixels
        if self._left < 0:
            raise Refused(
                "regions_too_many",
                f"The masks of this image's objects have more than {self._pixels} pixels.",
                "Cut each mask to its object, or send the image in tiles.",
            )


def from_picture(value: int, data: bytes, x: int, y: int, budget: Budget) -> Bitmap:
    """The region of a picture file: what is opaque, or without transparency what is not 0. Raises Refused."""
    loaded = load(data, cv2.IMREAD_UNCHANGED, lambda width, height: budget.spend(width * height))
    image = loaded.image
    if image.mode in ("RGBA", "LA", "PA") or (image.mode == "P" and "transparency" in image.info):
        pixels = np.asarray(image.convert("RGBA").getchannel("A"))
    else:
        pixels = np.asarray(image) if loaded.fast is None else loaded.fast
    covered: Bools = pixels.astype(np.bool_)
    if covered.ndim == 3:  # colours: whatever is not black
        covered = np.logical_or.reduce(covered, axis=2)
    return Bitmap.of(value, covered, x, y)


def from_runs(
    value: int, runs: NDArray[np.int64], size: tuple[int, int], x: int, y: int, budget: Budget
) -> Bitmap:
    """The region of lengths of runs, row by row, outside and inside in turn, outside first.

    `size` is the (width, height) that they fill. Raises Refused where they do not.
    """
    width, height = size
    if min(size) < 1:
        raise bad_bitmap(f"its box is {width}x{height} pixels")
    budget.spend(width * height)
    if runs.size and (int(runs.min()) < 0 or int(runs.max()) > width * height):
        raise bad_bitmap(f"a run is negative or longer than its box of {width}x{height} pixels")
    if int(runs.sum()) != width * height:
        raise bad_bitmap(f"its runs cover {runs.sum()} pixels, and its box of {width}x{height} has others")
    inside = np.arange(runs.size) % 2 == 1
    return Bitmap.of(value, np.repeat(inside, runs).reshape(height, width), x, y)


def from_base64(text: str, what: str) -> bytes:
    """The bytes of what is written in base64; raises Refused."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(
            "base64_broken", f"The base64 of {what} is damaged: {error}.", "Export the annotation again."
        ) from error


def bad_bitmap(what: str) -> Refused:
    """A bitmap that cannot be read."""
    return Refused("bitmap_broken", f"A mask cannot be read: {what}.", "Draw it again, or take it out.")
