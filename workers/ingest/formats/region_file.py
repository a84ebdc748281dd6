"""Keeps the regions of a whole set on disk: in memory they would grow with the set.

The file has no name and is gone with the last truth that reads from it. Forked processes read it without
disturbing each other.
"""

import os
import struct
import tempfile
import weakref
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import overload

import numpy as np

from workers.ingest.formats.coco_rle import Runs
from workers.ingest.formats.regions import Polygon, Region

_HEAD = struct.Struct("<5i")  # value, width, height, rings, holes; polygons have no width
_BUFFER = 1 << 20


class RegionFile:
    """Regions, each of one of the images 0, 1, 2 and so on. Raises OSError where the storage fails."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # closed by the next line
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])
        self._images = array("i")

    def add(self, image: int, region: Polygon | Runs) -> None:
        """Append a region of an image."""
        data = packed(region)
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))
        self._images.append(image)

    def by_image(self, images: int) -> "list[FiledRegions]":
        """The regions of each of so many images, in the order of adding; nothing is added after this."""
        self._file.flush()
        numbers = np.frombuffer(self._images, np.int32)
        order = np.argsort(numbers, kind="stable")
        starts = np.frombuffer(self._ends, np.int64)
        self._starts, self._sizes = starts[:-1][order], np.diff(starts)[order].astype(np.int32)
        bounds = np.searchsorted(numbers[order], np.arange(images + 1)).tolist()
        return [FiledRegions(self, *pair) for pair in pairwise(bounds)]

    def read(self, place: int) -> Region:
        """The region at this place, once they are ordered by image."""
        return unpacked(os.pread(self._file.fileno(), int(self._sizes[place]), int(self._starts[place])))


class FiledRegions(Sequence[Region]):
    """The regions of one image, each read when it is asked for; to another program they go as a tuple."""

    __slots__ = ("_file", "_first", "_stop")

    def __init__(self, file: RegionFile, first: int, stop: int) -> None:
        self._file = file
        self._first = first
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._first

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Region]: ...
    def __getitem__(self, index: int | slice) -> Region | Sequence[Region]:
        places = range(self._first, self._stop)[index]
        return self._file.read(places) if isinstance(places, int) else tuple(map(self._file.read, places))

    def __reduce__(self) -> tuple[type[tuple[Region, ...]], tuple[tuple[Region, ...]]]:
        return tuple, (tuple(self),)


def packed(region: Polygon | Runs) -> bytes:
    """A region as bytes: coordinates as float32, runs as int32."""
    if isinstance(region, Runs):
        head = _HEAD.pack(region.value, region.width, region.height, 0, 0)
        return head + region.runs.astype(np.int32).tobytes()
    outlines = (*region.rings, *region.holes)
    head = _HEAD.pack(region.value, 0, 0, len(region.rings), len(region.holes))
    sizes = array("i", map(len, outlines)).tobytes()
    return b"".join((head, sizes, *(outline.tobytes() for outline in outlines)))


def unpacked(data: bytes) -> Polygon | Runs:
    """The region that was packed so."""
    value, width, height, rings, holes = _HEAD.unpack_from(data)
    if width:
        runs = np.frombuffer(data, np.int32, offset=_HEAD.size)
        return Runs(value=value, width=width, height=height, runs=runs)
    sizes = np.frombuffer(data, np.int32, rings + holes, _HEAD.size)
    points = np.frombuffer(data, np.float32, offset=_HEAD.size + sizes.nbytes).reshape(-1, 2)
    outlines = np.split(points, np.cumsum(sizes[:-1]))
    return Polygon(value=value, rings=tuple(outlines[:rings]), holes=tuple(outlines[rings:]))
