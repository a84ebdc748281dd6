"""Regions that say less than an outline, or more: boxes, and marked ones."""

from dataclasses import dataclass, replace

import numpy as np

from workers.ingest.regions.masks import Polygon, Region, Sides
from workers.ingest.regions.polygons import Cover


@dataclass(frozen=True, kw_only=True, eq=False)
class Box(Polygon):
    """A rectangle, upright or turned, that says where an object is, and not which pixels it has."""

    outlined = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Marked:
    """A region of which more is said: its class where its pixels are ignored, that it is a crowd, its box,
    of which object it is a part."""

    region: Region
    label: int
    crowd: bool
    box: Sides
    group: int = 0

    @property
    def value(self) -> int:
        """See `Region.value`."""
        return self.region.value

    @property
    def outlined(self) -> bool:
        """See `Region.outlined`."""
        return self.region.outlined

    @property
    def area(self) -> float:
        """See `Region.area`."""
        return self.region.area

    def cost(self, width: int, height: int) -> float:
        """See `Region.cost`."""
        return self.region.cost(width, height)

    def cover(self, height: int, width: int) -> Cover:
        """See `Region.cover`."""
        return self.region.cover(height, width)


class Groups:
    """Numbers the objects of one image that are drawn in several parts, which have one label and one id."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, object], int] = {}

    def part(self, region: Region, key: object) -> Region:
        """The region as a part of the object with this id, None where it is whole."""
        if key is None:
            return region
        number = self._numbers.setdefault((region.label, key), len(self._numbers) + 1)
        return Marked(region=region, label=region.label, crowd=region.crowd, box=region.box, group=number)


def rectangle(value: int, left: float, top: float, right: float, bottom: float) -> Box:
    """An upright rectangle."""
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Box(value=value, rings=(np.array(corners, np.float32),))


def scaled_region(region: Region, size: tuple[int, int]) -> Region:
    """A polygon or box, or a marked one, of coordinates that are fractions of a width and height."""
    if isinstance(region, Marked):
        left, top, right, bottom = region.box
        box = (left * size[0], top * size[1], right * size[0], bottom * size[1])
        return replace(region, region=scaled_region(region.region, size), box=box)
    if not isinstance(region, Polygon):
        raise TypeError(f"{type(region).__name__} is not drawn in fractions")
    rings, holes = (tuple(one * size for one in outlines) for outlines in (region.rings, region.holes))
    return replace(region, rings=rings, holes=holes)
