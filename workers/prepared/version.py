"""The form that ingest writes once and training maps into memory.

    prepared/images.bin   uint8 RGB, height x width x 3 of each sample, one after the other
    prepared/masks.bin    uint8, height x width of each sample: class index, 255 where ignored; of a
                          multilabel set bit c is set where the pixel has class c, and 0 is no class
                          (no such file where images have labels, which are in the index, or boxes alone)
    prepared/mask_planes.bin in its place where a multilabel set has more than eight classes: height x
                          width x planes of each sample (planes.py)
    prepared/objects.bin  where images have boxes: a record for each object
                          (trainyard/datasets/stored_objects.py)
    prepared/outlines.bin where each object has a mask of its own: run lengths (run_lengths.py)
    prepared/index.json   kinds, task, classes, channel statistics, and where each sample lies
                          (trainyard/datasets/prepared_index.py)

Workers on one machine that map the same files share one copy in the page cache.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.prepared_index import (
    IGNORE_INDEX,
    DepthScale,
    PreparedClass,
    Sample,
    VersionIndex,
    read_index,
)
from trainyard.datasets.record import Task
from workers.prepared.objects import Objects, StoredObjects
from workers.prepared.planes import shape_of
from workers.prepared.writer import PreparedWriter, placed

__all__ = (  # with what the index holds, and its writer
    "IGNORE_INDEX",
    "MAX_OVERLAPPING",
    "DepthScale",
    "Objects",
    "PreparedClass",
    "PreparedDataset",
    "PreparedWriter",
    "Sample",
    "Uint8",
    "placed",
)

MAX_OVERLAPPING = 255
"""Classes of a multilabel set of masks."""

Uint8 = NDArray[np.uint8]

_MAPPED = ("_images", "_masks", "_objects")


class PreparedDataset:
    """A prepared folder, mapped read-only. Safe to pickle to a loader process, which maps it again."""

    def __init__(self, folder: Path, index: VersionIndex | None = None) -> None:
        """`index` is the folder's, where it has been read."""
        self._folder = folder
        index = index or read_index(folder)
        self.kinds = index.kinds
        self.content_hash = index.content_hash
        self.task: Task = index.task
        self.classes = list(index.classes)
        self.mask_planes = index.mask_planes
        self.mask_file = index.mask_file
        self.object_classes = list(index.object_classes)
        self.mean = index.mean
        self.std = index.std
        self.samples = list(index.samples)
        self.depth = index.depth
        self._map()

    def _map(self) -> None:
        self._images: Uint8 = np.memmap(self._folder / "images.bin", dtype=np.uint8, mode="r")
        self._masks: Uint8 | None = None
        if "masks" in self.kinds:
            self._masks = np.memmap(self._folder / self.mask_file, dtype=np.uint8, mode="r")
        self._objects: StoredObjects | None = None
        if "boxes" in self.kinds:
            self._objects = StoredObjects(self._folder, outlines="outlines" in self.kinds)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in _MAPPED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._map()

    def image(self, sample: Sample) -> Uint8:
        """The image, (H, W, 3) uint8 RGB, a read-only view."""
        size = sample.height * sample.width * 3
        flat = self._images[sample.image_offset : sample.image_offset + size]
        return flat.reshape(sample.height, sample.width, 3)

    def mask(self, sample: Sample) -> Uint8:
        """The mask, (H, W) uint8, a read-only view: class indices with IGNORE_INDEX, or bits of classes; with
        several planes, (H, W, P).

        Only of a set of masks: a task is not handed others.
        """
        assert self._masks is not None  # noqa: S101 - narrows the type
        planes = self.mask_planes
        start, size = planes * sample.mask_offset, planes * sample.height * sample.width
        return self._masks[start : start + size].reshape(shape_of(sample.height, sample.width, planes))

    def objects(self, sample: Sample) -> Objects:
        """The objects of a sample, of a set with boxes; their classes count `object_classes`."""
        assert self._objects is not None  # noqa: S101 - narrows the type
        return self._objects.objects(sample)

    def outlines(self, sample: Sample) -> Uint8:
        """The masks of a sample's objects, in their order: uint8 (N, H, W) of 0 and 1; of a set with
        outlines."""
        assert self._objects is not None  # noqa: S101 - narrows the type
        return self._objects.outlines(sample)

    def compressed_outlines(self, sample: Sample) -> list[bytes]:
        """The same as COCO's compressed run lengths over the image, as its `counts` are in JSON."""
        assert self._objects is not None  # noqa: S101 - narrows the type
        return self._objects.compressed(sample)

    def outline_bytes(self) -> int:
        """Bytes that the outlines of all objects take; of a set with outlines."""
        assert self._objects is not None  # noqa: S101 - narrows the type
        return self._objects.needed_bytes()
