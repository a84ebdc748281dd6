"""Labelled regions of an image.

Coordinates are pixels, x to the right and y down, of the size that the annotation states; the pixel (0, 0)
is the square from 0 to 1. A region covers the pixels whose centres lie in it, so that areas are unbiased:
drawing functions (OpenCV, Pillow) add the outline, which makes small objects a fifth larger.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from workers.ingest.pictures.limits import MAX_PIXELS
from workers.ingest.regions.polygons import Bools, Cover, Ring, fill, ring_area, span

Order = Literal["area", "file"]

Sides = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels; right and bottom are outside."""

IGNORED = 255
"""The mask value of pixels that belong to no class, in every format of regions."""

MAX_PAINTED = 100 * MAX_PIXELS
"""Steps to rasterize the regions of one image, as `Region.cost` counts them: some ten seconds of work."""


class Region(Protocol):
    """A part of an image with a mask value: what an annotation says of one object."""

    @property
    def value(self) -> int:
        """The mask value, 0 to 254 where masks are rasterized, or IGNORED."""

    @property
    def label(self) -> int:
        """The value of the object's class, also where its pixels are ignored; IGNORED where it has none."""

    @property
    def crowd(self) -> bool:
        """Whether it is several objects of a class, which nobody has told apart."""

    @property
    def outlined(self) -> bool:
        """Whether it is known which pixels the object has."""

    @property
    def group(self) -> int:
        """A number that all parts of one object have, within their image; 0 where it is whole."""

    @property
    def box(self) -> Sides:
        """The box of the object, as annotated, or else around the region."""

    @property
    def area(self) -> float:
        """Pixels covered, for the order of rasterizing."""

    def cost(self, width: int, height: int) -> float:
        """Pixels looked at and rows crossed, at most, to rasterize it on a mask of that size."""

    def cover(self, height: int, width: int) -> Cover:
        """The covered pixels of an image of that size. Raises Refused."""


class Outline:
    """What all regions have in common that tell which pixels an object has."""

    value: int
    crowd = False
    outlined = True
    group = 0

    @property
    def label(self) -> int:
        """See `Region.label`."""
        return self.value


@dataclass(frozen=True, kw_only=True, eq=False)
class Polygon(Outline):
    """What lies in any of the rings and in none of the holes; a ring that crosses itself is even-odd."""

    value: int
    rings: tuple[Ring, ...]
    holes: tuple[Ring, ...] = ()

    @property
    def area(self) -> float:
        """See `Region.area`; by the shoelace formula."""
        return sum(map(ring_area, self.rings)) - sum(map(ring_area, self.holes))

    def cost(self, width: int, height: int) -> float:
        """See `Region.cost`."""
        outlines = (*self.rings, *self.holes)
        around = () if len(outlines) == 1 else (np.concatenate(self.rings),)
        return sum(_fill_cost(outline, width, height) for outline in (*outlines, *around))

    @property
    def box(self) -> Sides:
        """See `Region.box`."""
        corners = self.rings[0] if len(self.rings) == 1 else np.concatenate(self.rings)
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return left, top, right, bottom

    def cover(self, height: int, width: int) -> Cover:
        """See `Region.cover`."""
        if len(self.rings) == 1 and not self.holes:
            return fill(self.rings[0], height, width)
        low_x, low_y, high_x, high_y = self.box
        (left, right), (top, bottom) = span(low_x, high_x, width), span(low_y, high_y, height)
        covered = np.zeros((bottom - top, right - left), np.uint8)
        for outlines, covers in ((self.rings, 1), (self.holes, 0)):
            for outline in outlines:
                shifted = outline - np.array((left, top), np.float32)
                fill(shifted, *covered.shape).rasterize(covered, covers)
        return Cover(top, left, covered.view(np.bool_))


@dataclass(frozen=True, kw_only=True)
class Bitmap(Outline):
    """A picture of the region with its top left pixel at (x, y); `packed` is zlib of its bits by row."""

    value: int
    x: int
    y: int
    width: int
    height: int
    area: float
    packed: bytes

    @classmethod
    def of(cls, value: int, pixels: Bools, x: int = 0, y: int = 0) -> "Bitmap":
        """A region of pixels, (H, W) bool; empty margins are cut off."""
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        if rows.size:
            pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            x, y = x + int(columns[0]), y + int(rows[0])
        else:
            pixels = pixels[:0, :0]
        height, width = pixels.shape
        packed = zlib.compress(np.packbits(pixels).tobytes(), level=1)
        area = float(np.count_nonzero(pixels))
        return cls(value=value, x=x, y=y, width=width, height=height, area=area, packed=packed)

    def cost(self, width: int, height: int) -> float:
        """See `Region.cost`."""
        return float(self.width * self.height)

    @property
    def pixels(self) -> Bools:
        """The picture, (height, width) bool."""
        bits = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        flat = np.unpackbits(bits, count=self.width * self.height)
        return flat.reshape(self.height, self.width).view(np.bool_)

    @property
    def box(self) -> Sides:
        """See `Region.box`."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def cover(self, height: int, width: int) -> Cover:
        """See `Region.cover`; what lies outside the image is cut off."""
        left, top = min(max(self.x, 0), width), min(max(self.y, 0), height)
        inside = self.pixels[max(top - self.y, 0) :, max(left - self.x, 0) :]
        return Cover(top, left, inside[: height - top, : width - left])


@dataclass(frozen=True, kw_only=True)
class Ellipse(Outline):
    """An ellipse about (x, y) with half axes `rx` and `ry`, turned by `angle` degrees, from x towards y."""

    value: int
    x: float
    y: float
    rx: float
    ry: float
    angle: float = 0.0

    @property
    def area(self) -> float:
        """See `Region.area`."""
        return float(np.pi * self.rx * self.ry)

    def cost(self, width: int, height: int) -> float:
        """See `Region.cost`."""
        across = 2 * max(self.rx, self.ry) + 2
        return min(across, width) * min(across, height)

    @property
    def box(self) -> Sides:
        """See `Region.box`."""
        cos, sin = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        across = float(np.hypot(self.rx * cos, self.ry * sin))
        down = float(np.hypot(self.rx * sin, self.ry * cos))
        return self.x - across, self.y - down, self.x + across, self.y + down

    def cover(self, height: int, width: int) -> Cover:
        """See `Region.cover`."""
        reach = max(self.rx, self.ry)
        if min(self.rx, self.ry) <= 0:
            return Cover(0, 0, np.zeros((0, 0), np.bool_))
        top, bottom = span(self.y - reach, self.y + reach, height)
        left, right = span(self.x - reach, self.x + reach, width)
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5 - self.y
        dx = np.arange(left, right, dtype=np.float32)[None, :] + 0.5 - self.x
        cos, sin = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        along, across = (dx * cos + dy * sin) / self.rx, (dy * cos - dx * sin) / self.ry
        return Cover(top, left, along**2 + across**2 <= 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stroke(Outline):
    """A line through points, (N, 2) as in a Ring but not closed, `width` pixels wide, with round ends."""

    value: int
    points: Ring
    width: float

    @property
    def area(self) -> float:
        """See `Region.area`; where it crosses itself, the pixels count twice."""
        steps = np.diff(self.points, axis=0)
        return float(np.hypot(steps[:, 0], steps[:, 1]).sum() + self.width) * self.width

    def cost(self, width: int, height: int) -> float:
        """See `Region.cost`."""
        around = np.ptp(self.points, axis=0) + self.width + 4
        canvas = min(float(around[0]), width) * min(float(around[1]), height)
        return canvas + sum(part.cost(width, height) for part in self._parts())

    @property
    def box(self) -> Sides:
        """See `Region.box`."""
        half = self.width / 2
        (left, top), (right, bottom) = self.points.min(axis=0).tolist(), self.points.max(axis=0).tolist()
        return left - half, top - half, right + half, bottom + half

    def cover(self, height: int, width: int) -> Cover:
        """See `Region.cover`."""
        low_x, low_y, high_x, high_y = self.box
        left, right = span(low_x - 1, high_x + 1, width)  # a corner of a bar may be rounded outwards
        top, bottom = span(low_y - 1, high_y + 1, height)
        covered = np.zeros((bottom - top, right - left), np.uint8)
        for part in self._parts():
            cover = part.cover(height, width)
            Cover(cover.top - top, cover.left - left, cover.inside).rasterize(covered, 1)
        return Cover(top, left, covered.view(np.bool_))

    def _parts(self) -> Iterator[Region]:
        """A disc at each point, and a bar along each step."""
        half = self.width / 2
        for x, y in self.points.tolist():
            yield Ellipse(value=self.value, x=x, y=y, rx=half, ry=half)
        for start, step in zip(self.points[:-1], np.diff(self.points, axis=0), strict=True):
            length = float(np.hypot(*step))
            if length > 0:
                across = np.array((-step[1], step[0])) * (half / length)
                corners = (start + across, start + step + across, start + step - across, start - across)
                yield Polygon(value=self.value, rings=(np.array(corners, np.float32),))


def _fill_cost(outline: Ring, width: int, height: int) -> float:
    across, down = (np.ptp(outline, axis=0) + 2).tolist()
    rows = min(down, height)
    return float(rows * (min(across, width) + len(outline)))
