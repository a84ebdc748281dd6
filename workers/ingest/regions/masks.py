"""Labelled regions of an image and the mask that they make together.

Coordinates are pixels, x to the right and y down, of the size that the annotation states; the pixel (0, 0)
is the square from 0 to 1. A region covers the pixels whose centres lie in it, so that areas are unbiased:
drawing functions (OpenCV, Pillow) add the outline, which makes small objects a fifth larger.

Where regions overlap, the smaller one is seen: they are painted from the largest to the smallest, so that a
facade does not erase its windows. With the order `file` the later one in the file is seen instead. A region
to be ignored (IGNORED: a crowd, a void) is painted by the same rule as all others: a crowd in front of a
bus hides that part of the bus, and the person labelled within a crowd stays labelled.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from workers.ingest.items import Read
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.limits import MAX_DRAWN_PIXELS, MAX_PIXELS
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.problems import Refused
from workers.ingest.regions.polygons import Bools, Ring, fill, ring_area, span
from workers.prepared.version import Uint8

Order = Literal["area", "file"]

IGNORED = 255
"""The mask value of pixels that belong to no class, in every format of regions."""

MAX_PAINTED = 100 * MAX_PIXELS
"""Steps to paint the regions of one image, as `Region.cost` counts them: some ten seconds of work."""


class Region(Protocol):
    """A part of an image with a mask value."""

    @property
    def value(self) -> int:
        """The mask value, 0 to 254, or IGNORED."""

    @property
    def area(self) -> float:
        """Pixels covered, for the order of painting."""

    def cost(self, width: int, height: int) -> float:
        """Pixels looked at and rows crossed, at most, to paint it on a mask of that size."""

    def paint(self, mask: Uint8) -> None:
        """Set the covered pixels of a mask, (H, W), to the value, in place. Raises Refused."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Polygon:
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
        return sum(_fill_cost(outline, width, height) for outline in (*self.rings, *self.holes))

    def paint(self, mask: Uint8) -> None:
        """See `Region.paint`."""
        if not self.holes:
            for outline in self.rings:
                part, inside = fill(outline, mask)
                part[inside] = self.value
            return
        corners = np.concatenate(self.rings)
        left, right = span(float(corners[:, 0].min()), float(corners[:, 0].max()), mask.shape[1])
        top, bottom = span(float(corners[:, 1].min()), float(corners[:, 1].max()), mask.shape[0])
        around = mask[top:bottom, left:right]
        covered = np.zeros_like(around)
        for outlines, covers in ((self.rings, 1), (self.holes, 0)):
            for outline in outlines:
                part, inside = fill(outline - np.array((left, top), np.float32), covered)
                part[inside] = covers
        around[covered.view(np.bool_)] = self.value


@dataclass(frozen=True, kw_only=True)
class Bitmap:
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

    def paint(self, mask: Uint8) -> None:
        """See `Region.paint`; what lies outside the mask is cut off."""
        left, top = max(self.x, 0), max(self.y, 0)
        part = mask[top : max(self.y + self.height, 0), left : max(self.x + self.width, 0)]
        height, width = part.shape
        inside = self.pixels[top - self.y :, left - self.x :][:height, :width]
        part[inside] = self.value


@dataclass(frozen=True, kw_only=True)
class Ellipse:
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

    def paint(self, mask: Uint8) -> None:
        """See `Region.paint`."""
        reach = max(self.rx, self.ry)
        if min(self.rx, self.ry) <= 0:
            return
        top, bottom = span(self.y - reach, self.y + reach, mask.shape[0])
        left, right = span(self.x - reach, self.x + reach, mask.shape[1])
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5 - self.y
        dx = np.arange(left, right, dtype=np.float32)[None, :] + 0.5 - self.x
        cos, sin = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        along, across = (dx * cos + dy * sin) / self.rx, (dy * cos - dx * sin) / self.ry
        mask[top:bottom, left:right][along**2 + across**2 <= 1] = self.value


@dataclass(frozen=True, kw_only=True, eq=False)
class Stroke:
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
        return sum(part.cost(width, height) for part in self._parts())

    def paint(self, mask: Uint8) -> None:
        """See `Region.paint`."""
        for part in self._parts():
            part.paint(mask)

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


def rectangle(value: int, left: float, top: float, right: float, bottom: float) -> Polygon:
    """An upright rectangle."""
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Polygon(value=value, rings=(np.array(corners, np.float32),))


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionsTruth:
    """Regions on a background; `size` is (width, height) as the annotation states it, None where it does not.

    `background` is the value of pixels that no region covers.
    """

    file: str
    size: tuple[int, int] | None
    background: int
    regions: Sequence[Region]
    order: Order = "area"

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`. The regions were drawn on the displayed image, or on the stored one where the
        stated size is that one's only; with no size stated, on the displayed one."""
        width, height = image.size if self.size is None else self.size
        if (width, height) not in (image.size, image.stored_size):
            raise Refused(
                "annotation_size",
                f"The annotation is for {width}x{height} pixels; the image has "
                f"{image.size[0]}x{image.size[1]}.",
                "Export the annotation anew for this image, or send the image that was annotated.",
            )
        if width * height > MAX_DRAWN_PIXELS:
            raise Refused(
                "image_too_large",
                f"Regions are painted on images of at most {MAX_DRAWN_PIXELS} pixels; this one has "
                f"{width}x{height}.",
                "Send its mask as a PNG or TIFF, which is made smaller with the image; or cut it into tiles.",
            )
        if sum(region.cost(width, height) for region in self.regions) > MAX_PAINTED:
            raise Refused(
                "regions_too_many",
                f"{len(self.regions)} regions take more than {MAX_PAINTED} steps to paint.",
                "Take out regions that lie below others, or send masks.",
            )
        mask = np.full((height, width), self.background, np.uint8)
        by_area = sorted(self.regions, key=lambda region: -region.area)
        for region in by_area if self.order == "area" else self.regions:
            region.paint(mask)
        return fit_mask(mask, image)


def _fill_cost(outline: Ring, width: int, height: int) -> float:
    across, down = (np.ptp(outline, axis=0) + 2).tolist()
    rows = min(down, height)
    return float(rows * (min(across, width) + len(outline)))
