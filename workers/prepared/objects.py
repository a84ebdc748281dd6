"""The objects of images: their boxes, classes and outlines, in files that grow while a version is written.

Layout: trainyard/datasets/stored_objects.py. Outlines are run lengths over the image (`run_lengths`).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.prepared_index import Sample
from trainyard.datasets.stored_objects import MAX_OBJECT_CLASSES, OBJECTS_FILE, OUTLINES_FILE, RECORD
from workers.prepared.run_lengths import decompressed, rasterize_runs

Uint8 = NDArray[np.uint8]

RECORDS = np.dtype(
    {
        "names": ["box", "offset", "length", "index", "crowd"],
        "formats": [("<f4", 4), "<u8", "<u4", "<u2", "u1"],
        "offsets": [0, 16, 24, 28, 30],
        "itemsize": RECORD.size,
    }
)


@dataclass(frozen=True, eq=False)
class Objects:
    """The N objects of one image, in the order of its annotation.

    `boxes` are float32 (N, 4): left, top, right, bottom in pixels of the prepared image, half-open, with
    0 <= left < right <= width and 0 <= top < bottom <= height. `classes` are int64 (N,), from 0, by the
    places in `PreparedDataset.object_classes`, none of which is a background. `crowd` is bool (N,): a region
    of several objects that nobody has told apart, with which no detection is wrong.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    crowd: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.boxes)

    def check(self, width: int, height: int, most: int = MAX_OBJECT_CLASSES) -> None:
        """Raise ValueError where they are not as said, of an image of that size and `most` classes."""
        count = len(self.boxes)
        shapes = (self.boxes.shape, self.classes.shape, self.crowd.shape)
        kinds = " ".join(str(one.dtype) for one in (self.boxes, self.classes, self.crowd))
        if shapes != ((count, 4), (count,), (count,)) or kinds != "float32 int64 bool":
            raise ValueError(f"objects of the shapes {shapes} and the types {kinds}")
        left, top, right, bottom = self.boxes.T
        inside = (left >= 0) & (left < right) & (right <= width)
        inside &= (top >= 0) & (top < bottom) & (bottom <= height)
        if not bool(inside.all()):
            raise ValueError(f"the box {self.boxes[~inside][0].tolist()} of an image of {width}x{height}")
        if count and not 0 <= int(self.classes.min()) <= int(self.classes.max()) < most:
            raise ValueError(f"a class of {self.classes.min()} to {self.classes.max()}, of {most}")


class ObjectsWriter:
    """Fills objects.bin and, where there are outlines, outlines.bin; by one process."""

    def __init__(self, folder: Path, *, outlines: bool) -> None:
        self._folder = folder
        self._objects: BinaryIO = (folder / OBJECTS_FILE).open("wb")
        self._outlines: BinaryIO | None = (folder / OUTLINES_FILE).open("wb") if outlines else None
        self._count = 0
        self._bytes = 0

    def close(self) -> None:
        """Close both; what was written is not on disk for certain."""
        try:
            self._objects.close()
        finally:
            if self._outlines is not None:
                self._outlines.close()

    def sync(self) -> None:
        """Have all that was written on disk; raises OSError."""
        for file in (self._objects, self._outlines):
            if file is not None:
                file.flush()
                os.fsync(file.fileno())

    def write(self, objects: Objects, outlines: Sequence[bytes]) -> int:
        """Append the objects of an image, with the compressed runs of each where there are outlines; the
        number of objects before them."""
        first = self._count
        records = np.zeros(len(objects), RECORDS)
        records["box"], records["index"], records["crowd"] = objects.boxes, objects.classes, objects.crowd
        if self._outlines is not None:
            lengths = np.array([len(one) for one in outlines], np.int64)
            if lengths.size != len(objects) or not lengths.all():
                raise ValueError(f"{lengths.size} outlines of {len(objects)} objects, or an empty one")
            records["length"] = lengths
            records["offset"] = self._bytes + np.cumsum(lengths) - lengths
            self._outlines.write(b"".join(outlines))
            self._bytes += int(lengths.sum())
        self._objects.write(records.tobytes())
        self._count += len(objects)
        return first

    def recode(self, table: NDArray[np.int64], samples: Sequence[Sample]) -> list[Sample]:
        """Replace each class c by `table[c]` and leave out objects where that is below 0, in place; the
        samples with the places of their objects, one behind the other.

        For classes that are known only after the last object.
        """
        self._objects.flush()
        if not self._count:
            return list(samples)
        records = np.memmap(self._folder / OBJECTS_FILE, RECORDS, "r+")
        found, end = [], 0
        for sample in sorted(samples, key=lambda one: one.first_object):
            own = records[sample.first_object : sample.first_object + sample.objects].copy()
            own["index"] = indices = table[own["index"]]
            own = own[indices >= 0]
            records[end : end + len(own)] = own
            found.append(replace(sample, first_object=end, objects=len(own)))
            end += len(own)
        del records
        self._objects.truncate(end * RECORD.size)
        self._objects.seek(0, os.SEEK_END)
        self._count = end
        placed = {sample.name: sample for sample in found}
        return [placed[sample.name] for sample in samples]


class StoredObjects:
    """The objects of a version, mapped read-only."""

    def __init__(self, folder: Path, *, outlines: bool) -> None:
        self._records = _mapped(folder / OBJECTS_FILE, RECORDS)
        self._runs = _mapped(folder / OUTLINES_FILE, np.dtype(np.uint8)) if outlines else None

    def objects(self, sample: Sample) -> Objects:
        """Those of a sample, as arrays of their own."""
        own = self._own(sample)
        return Objects(own["box"].copy(), own["index"].astype(np.int64), own["crowd"].astype(np.bool_))

    def outlines(self, sample: Sample) -> Uint8:
        """Their masks, uint8 (N, H, W) of 0 and 1."""
        masks = np.zeros((sample.objects, sample.height, sample.width), np.uint8)
        for mask, text in zip(masks, self.compressed(sample), strict=True):
            rasterize_runs(decompressed(text), mask)
        return masks

    def compressed(self, sample: Sample) -> list[bytes]:
        """Their masks as COCO's compressed run lengths over the image."""
        assert self._runs is not None  # noqa: S101 - narrows the type
        runs, own = self._runs, self._own(sample)
        ends = own["offset"] + own["length"]
        return [runs[first:end].tobytes() for first, end in zip(own["offset"], ends, strict=True)]

    def needed_bytes(self) -> int:
        """How long outlines.bin is at least."""
        return int((self._records["offset"] + self._records["length"]).max(initial=0))

    def _own(self, sample: Sample) -> NDArray[Any]:
        return self._records[sample.first_object : sample.first_object + sample.objects]


def _mapped(file: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An empty file cannot be mapped."""
    count = file.stat().st_size // dtype.itemsize
    return np.memmap(file, dtype, "r", shape=(count,)) if count else np.empty(0, dtype)
