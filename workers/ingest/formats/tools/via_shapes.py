"""The shapes of VIA as regions."""

from collections.abc import Callable

import numpy as np

from workers.ingest.regions.marked import rectangle
from workers.ingest.regions.masks import Ellipse, Polygon, Region, Stroke
from workers.ingest.regions.polygons import Ring, ring
from workers.ingest.regions.shapes import not_a_region, stroke
from workers.ingest.text.typed_json import broken, listing, number, points

Shape = dict[str, object]


def region(value: int, shape: Shape) -> Region:
    """The region of `shape_attributes`; raises Refused."""
    kind = shape.get("name")
    if not isinstance(kind, str) or kind not in _DRAWN:
        raise not_a_region(str(kind)[:40], ", ".join(_DRAWN))
    return _DRAWN[kind](value, shape)


def _polygon(value: int, shape: Shape) -> Polygon:
    return Polygon(value=value, rings=(ring(_corners(shape)),))


def _polyline(value: int, shape: Shape) -> Stroke:
    return stroke(value, _corners(shape))


def _rect(value: int, shape: Shape) -> Polygon:
    left, top, width, height = (number(shape.get(name), name) for name in ("x", "y", "width", "height"))
    return rectangle(value, left, top, left + width, top + height)


def _circle(value: int, shape: Shape) -> Ellipse:
    x, y, radius = (number(shape.get(name), name) for name in ("cx", "cy", "r"))
    return _round(value, x, y, radius, radius)


def _ellipse(value: int, shape: Shape) -> Ellipse:
    """`theta` is in radians, from x towards y."""
    x, y, rx, ry = (number(shape.get(name), name) for name in ("cx", "cy", "rx", "ry"))
    return _round(value, x, y, rx, ry, float(np.rad2deg(number(shape.get("theta", 0), "theta"))))


def _point(value: int, shape: Shape) -> Stroke:
    return stroke(value, points([[shape.get("cx"), shape.get("cy")]], "cx and cy"))


_DRAWN: dict[str, Callable[[int, Shape], Region]] = {
    "polygon": _polygon,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "polyline": _polyline,
    "point": _point,
}


def _round(value: int, x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Ellipse:
    if min(rx, ry) <= 0:
        raise broken("the radius", "above 0", (rx, ry))
    return Ellipse(value=value, x=x, y=y, rx=rx, ry=ry, angle=angle)


def _corners(shape: Shape) -> Ring:
    along_x, along_y = (listing(shape.get(name), name) for name in ("all_points_x", "all_points_y"))
    if len(along_x) != len(along_y):
        raise broken("all_points_y", f"{len(along_x)} numbers as all_points_x has", along_y)
    return points(
        [list(pair) for pair in zip(along_x, along_y, strict=True)], "all_points_x and all_points_y"
    )
