"""Regions as bytes, for a file of our own that lives as long as one ingest."""

import struct
from array import array

import numpy as np

from workers.ingest.regions.marked import Box, Marked
from workers.ingest.regions.masks import Bitmap, Ellipse, Polygon, Region, Stroke
from workers.ingest.regions.rle import Runs

_HEAD = struct.Struct("<2i")  # kind, value
_POLYGON = struct.Struct("<2i")  # rings, holes
_RUNS = struct.Struct("<2i")  # width, height
_BITMAP = struct.Struct("<4id")  # x, y, width, height, area
_ELLIPSE = struct.Struct("<5d")  # x, y, rx, ry, angle
_STROKE = struct.Struct("<d")  # width
_MARKED = struct.Struct("<4i4d")  # label, crowd, group, nothing, left, top, right, bottom
_KINDS = (Polygon, Runs, Bitmap, Ellipse, Stroke, Box, Marked)


def packed(region: Region) -> bytes:
    """A region as bytes: coordinates of outlines as float32, runs as int32."""
    return _HEAD.pack(_KINDS.index(type(region)), region.value) + _body(region)


def unpacked(data: bytes) -> Region:
    """The region that was packed so."""
    number, value = _HEAD.unpack_from(data)
    kind, body = _KINDS[number], memoryview(data)[_HEAD.size :]
    if kind in (Polygon, Box):
        return _polygon(kind, value, body)
    if kind is Marked:
        label, crowd, group, _, left, top, right, bottom = _MARKED.unpack_from(body)
        region, box = unpacked(bytes(body[_MARKED.size :])), (left, top, right, bottom)
        return Marked(region=region, label=label, crowd=bool(crowd), box=box, group=group)
    if kind is Runs:
        width, height = _RUNS.unpack_from(body)
        runs = np.frombuffer(body, np.int32, offset=_RUNS.size)
        return Runs(value=value, width=width, height=height, runs=runs)
    if kind is Bitmap:
        x, y, width, height, area = _BITMAP.unpack_from(body)
        bits = bytes(body[_BITMAP.size :])
        return Bitmap(value=value, x=x, y=y, width=width, height=height, area=area, packed=bits)
    if kind is Ellipse:
        x, y, rx, ry, angle = _ELLIPSE.unpack(body)
        return Ellipse(value=value, x=x, y=y, rx=rx, ry=ry, angle=angle)
    points = np.frombuffer(body, np.float32, offset=_STROKE.size).reshape(-1, 2)
    return Stroke(value=value, points=points, width=_STROKE.unpack_from(body)[0])


def _body(region: Region) -> bytes:
    match region:
        case Polygon():
            outlines = (*region.rings, *region.holes)
            sizes = array("i", map(len, outlines)).tobytes()
            head = _POLYGON.pack(len(region.rings), len(region.holes))
            return b"".join((head, sizes, *(outline.tobytes() for outline in outlines)))
        case Runs():
            return _RUNS.pack(region.width, region.height) + region.runs.astype(np.int32).tobytes()
        case Bitmap():
            box = (region.x, region.y, region.width, region.height)
            return _BITMAP.pack(*box, region.area) + region.packed
        case Ellipse():
            return _ELLIPSE.pack(region.x, region.y, region.rx, region.ry, region.angle)
        case Stroke():
            return _STROKE.pack(region.width) + region.points.astype(np.float32).tobytes()
        case Marked():
            said = (region.label, region.crowd, region.group, 0)
            return _MARKED.pack(*said, *region.box) + packed(region.region)
    raise TypeError(f"{type(region).__name__} is no kind of region that is stored")


def _polygon(kind: type[Polygon], value: int, body: memoryview) -> Polygon:
    rings, holes = _POLYGON.unpack_from(body)
    sizes = np.frombuffer(body, np.int32, rings + holes, _POLYGON.size)
    points = np.frombuffer(body, np.float32, offset=_POLYGON.size + sizes.nbytes).reshape(-1, 2)
    outlines = np.split(points, np.cumsum(sizes[:-1]))
    return kind(value=value, rings=tuple(outlines[:rings]), holes=tuple(outlines[rings:]))
