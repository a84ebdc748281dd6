"""Keeps the regions of a whole set on disk: in memory they would grow with the set.

The file has no name and is gone with the last truth that reads from it. Forked processes read it without
disturbing each other.
"""

import os
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from workers.ingest.regions.masks import Region
from workers.ingest.regions.packed import packed, unpacked

_BUFFER = 1 << 20


class RegionFile:
    """Regions of a set, image by image or in any order. Raises OSError where the storage fails."""

    def __init__(self, folder: Path) -> None:
        """The file lies in that folder: what a machine has for temporary files may be small, or memory."""
        self._file = tempfile.TemporaryFile(buffering=_BUFFER, dir=folder)  # noqa: SIM115  # closed below
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])
        self._images = array("i")
        self._order: NDArray[np.int64] | None = None

    def add(self, image: int, region: Region) -> None:
        """Append a region of one of the images 0, 1, 2 and so on."""
        self._images.append(image)
        self._append(region)

    def by_image(self, images: int) -> "list[FiledRegions]":
        """The regions of each of so many images, in the order of adding; nothing is added after this."""
        self._file.flush()
        numbers = np.frombuffer(self._images, np.int32)
        self._order = np.argsort(numbers, kind="stable")
        bounds = np.searchsorted(numbers[self._order], np.arange(images + 1)).tolist()
        return [FiledRegions(self, *pair) for pair in pairwise(bounds)]

    def together(self, regions: Iterable[Region]) -> "FiledRegions":
        """All regions of one image, which can be read at once; not to be mixed with `add`."""
        first = len(self._ends) - 1
        for region in regions:
            self._append(region)
        self._file.flush()
        return FiledRegions(self, first, len(self._ends) - 1)

    def read(self, place: int) -> Region:
        """The region at this place, which counts them image by image."""
        number = place if self._order is None else int(self._order[place])
        start, end = self._ends[number : number + 2]
        return unpacked(os.pread(self._file.fileno(), end - start, start))

    def _append(self, region: Region) -> None:
        data = packed(region)
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))


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
