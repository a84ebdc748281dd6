"""Shapes of annotation tools that are made of the regions that `regions` has."""

import numpy as np

from workers.ingest.problems import Refused
from workers.ingest.regions.marked import Box
from workers.ingest.regions.masks import Stroke
from workers.ingest.regions.polygons import Ring

LINE_WIDTH = 10
"""Pixels: the width of lines, and of points, as LabelMe draws them (labelme/utils/shape.py)."""


def stroke(value: int, points: Ring) -> Stroke:
    """A line through points, (N, 2), or one point: LINE_WIDTH wide."""
    return Stroke(
        value=value, points=points if len(points) > 1 else points.repeat(2, axis=0), width=LINE_WIDTH
    )


def turned_box(
    value: int, box: tuple[float, float, float, float], angle: float, pivot: tuple[float, float]
) -> Box:
    """A rectangle of left, top, right and bottom, turned about a point by degrees, from x towards y."""
    left, top, right, bottom = box
    corners = np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float64) - pivot
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turned = corners @ np.array(((cos, sin), (-sin, cos))) + pivot
    return Box(value=value, rings=(turned.astype(np.float32),))


def not_a_region(kind: str, accepted: str) -> Refused:
    """An object of a kind that covers no pixels, or is not read."""
    return Refused(
        "shape_unread",
        f"{kind!r} is not read; read are {accepted}.",
        "Draw it as one of these, or take it out.",
    )
