"""Outlines of polygons: read from numbers, and filled pixel by pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.ingest.problems import Refused
from workers.prepared.version import Uint8

Ring = NDArray[np.float32]
"""Corners of a closed outline, (N, 2) of x and y; the last is joined to the first."""

Bools = NDArray[np.bool_]

FAR = 1e6
"""Coordinates beyond this are refused; no picture is that large."""

MAX_CROSSINGS = 4_000_000
"""Rows crossed by the edges of one ring, in all: about the length of the outline in pixels."""


def ring(numbers: object) -> Ring:
    """A ring of x, y, x, y and so on, as text formats list them; raises Refused where they make none."""
    try:
        flat = np.asarray(numbers, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise _bad_ring("it is no list of numbers") from error
    if flat.ndim == 2 and flat.shape[1] == 2:
        flat = flat.reshape(-1)
    if flat.ndim != 1 or flat.size % 2:
        raise _bad_ring(f"it is no list of pairs of numbers: its shape is {flat.shape}")
    if flat.size < 6:
        raise _bad_ring(f"it has {flat.size // 2} point(s), and a polygon at least 3")
    if not bool(np.isfinite(flat).all()) or float(np.abs(flat).max()) > FAR:
        raise _bad_ring(f"a coordinate is not finite or beyond {FAR:.0f}")
    return flat.reshape(-1, 2).astype(np.float32)


@dataclass(frozen=True)
class Cover:
    """Which pixels of an image are covered: `inside`, (H, W) bool, lies at row `top` and column `left`."""

    top: int
    left: int
    inside: Bools

    def rasterize(self, mask: Uint8, value: int) -> None:
        """Set the covered pixels of a mask of the image, (H, W), in place."""
        height, width = self.inside.shape
        mask[self.top : self.top + height, self.left : self.left + width][self.inside] = value


def fill(ring: Ring, height: int, width: int) -> Cover:
    """The pixels of an image of that size whose centre lies in a ring.

    Each row is entered and left where an edge crosses the line of its centres (scan conversion, Foley et al.,
    Computer Graphics, 3.6).
    """
    top, bottom = span(float(ring[:, 1].min()), float(ring[:, 1].max()), height)
    left, right = span(float(ring[:, 0].min()), float(ring[:, 0].max()), width)
    height, width = bottom - top, right - left
    x, y = ring.astype(np.float64).T - [[left + 0.5], [top + 0.5]]
    next_x, next_y = _following(x), _following(y)
    first = np.clip(np.ceil(np.minimum(y, next_y)), 0, height).astype(np.int64)
    crossed = np.clip(np.ceil(np.maximum(y, next_y)), 0, height).astype(np.int64) - first
    if crossed.sum() > MAX_CROSSINGS:
        raise Refused(
            "polygon_too_long",
            f"A polygon of {len(ring)} points crosses {crossed.sum()} rows, more than {MAX_CROSSINGS}.",
            "Draw it with fewer points, or send a mask.",
        )
    edge = np.repeat(np.arange(len(ring)), crossed)
    row = np.arange(edge.size) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[edge]
    slope = (next_x - x)[edge] / (next_y - y)[edge]  # a crossed edge is not level
    column = np.clip(np.ceil(x[edge] + (row - y[edge]) * slope), 0, width).astype(np.int64)
    toggles = np.zeros((height, width + 1), np.uint8)
    np.bitwise_xor.at(toggles, (row, column), 1)
    np.bitwise_xor.accumulate(toggles, axis=1, out=toggles)
    return Cover(top, left, toggles[:, :width].view(np.bool_))


def span(low: float, high: float, size: int) -> tuple[int, int]:
    """The pixels from `low` to `high`, cut to 0 to `size`."""
    start = min(max(int(np.floor(low)), 0), size)
    return start, min(max(int(np.ceil(high)), start), size)


def ring_area(ring: Ring) -> float:
    x, y = ring.astype(np.float64).T
    return abs(float(np.dot(x, _following(y)) - np.dot(y, _following(x)))) / 2


def _following(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each number the next one, the first for the last: `np.roll` takes five times as long."""
    return np.concatenate((numbers[1:], numbers[:1]))


def _bad_ring(what: str) -> Refused:
    return Refused("polygon_broken", f"A polygon cannot be drawn: {what}.", "Draw it again, or take it out.")
