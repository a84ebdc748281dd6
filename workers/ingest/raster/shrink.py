"""Makes pictures smaller while they are read, so that the whole is never in memory."""

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.raster.strips import Raster, Strips, Values

Size = tuple[int, int]
"""Width and height in pixels."""


def capped(size: Size, max_side: int | None) -> Size:
    """Width and height shrunk, the ratio kept, so that neither is above `max_side`."""
    longer = max(size)
    if max_side is None or longer <= max_side:
        return size
    width, height = (max(round(side * max_side / longer), 1) for side in size)
    return width, height


def shrink_area(strips: Strips, size: Size, smaller: Size) -> Values:
    """Each pixel is the mean of what it covers, parts of pixels by their area (cv2.INTER_AREA)."""
    width, height = smaller
    ratio = size[1] / height
    result: Values | None = None
    top = 0
    rest = np.zeros(0, np.float32)
    for strip in strips:
        flat = cv2.resize(_contiguous(strip), (width, len(strip)), interpolation=cv2.INTER_AREA)
        flat = flat.reshape(len(strip), -1).astype(np.float32, copy=False)
        if result is None:
            result = np.empty((height, width, strip.shape[2]), strip.dtype)
            rest = np.zeros(flat.shape[1], np.float32)
        bottom = top + len(strip)
        for row in range(top * height // size[1], -(-bottom * height // size[1])):
            start, end = max(row * ratio, top), min((row + 1) * ratio, bottom)
            rest = rest + _sum(flat, start - top, end - top)
            if (row + 1) * size[1] <= bottom * height:  # in whole numbers: a ratio may be just off
                _store(result[row], rest / ratio)
                rest = np.zeros_like(rest)
        top = bottom
    assert result is not None  # noqa: S101 - a picture has rows
    return result


def shrunk(pixels: Values, smaller: Size) -> Values:
    """A picture in memory, (H, W, channels), made smaller in the same way, in the kind of number it has."""
    found = cv2.resize(_contiguous(pixels), smaller, interpolation=cv2.INTER_AREA)
    found = found.reshape(smaller[1], smaller[0], pixels.shape[2])
    if pixels.dtype.kind != "f" and found.dtype != pixels.dtype:
        found = np.rint(found)
    return found.astype(pixels.dtype, copy=False)


def shrink_nearest(strips: Strips, size: Size, smaller: Size) -> Values:
    """Each pixel is the one that lies at its centre, so that values stay what they are."""
    columns, rows = centres(size[0], smaller[0]), centres(size[1], smaller[1])
    parts = []
    top = 0
    for strip in strips:
        wanted = rows[(rows >= top) & (rows < top + len(strip))] - top
        parts.append(strip[wanted][:, columns])
        top += len(strip)
    return np.concatenate(parts)


def picked(pixels: Values, smaller: Size) -> Values:
    """A picture in memory made smaller in this way."""
    return shrink_nearest(iter((pixels,)), (pixels.shape[1], pixels.shape[0]), smaller)


def centres(many: int, few: int) -> NDArray[np.int64]:
    """Of `many` pixels in a row, those at the centres of `few`."""
    return (np.arange(few, dtype=np.int64) * 2 + 1) * many // (2 * few)


def read_whole(raster: Raster) -> Values:
    """All pixels of a picture, (H, W, channels)."""
    pixels = np.empty((raster.height, raster.width, raster.channels), raster.dtype)
    top = 0
    for strip in raster.strips():
        pixels[top : top + len(strip)] = strip
        top += len(strip)
    return pixels


def _sum(rows: Values, start: float, end: float) -> Values:
    """The sum of rows from `start` to `end`, of which the first and the last count by their part."""
    first, last = int(np.ceil(start)), int(end)
    if first > last:
        part: Values = rows[last] * np.float32(end - start)
        return part
    total: Values = rows[first:last].sum(axis=0)
    if first > start:
        total += rows[first - 1] * np.float32(first - start)
    if end > last:
        total += rows[last] * np.float32(end - last)
    return total


def _store(target: Values, rows: Values) -> None:
    shaped = rows.reshape(target.shape)
    target[...] = shaped if target.dtype.kind == "f" else np.rint(shaped)


def _contiguous(strip: Values) -> Values:
    """A strip of a kind of number that OpenCV resizes."""
    known = strip.dtype in (np.uint8, np.uint16, np.int16, np.float32)
    return np.ascontiguousarray(strip if known else strip.astype(np.float32))
