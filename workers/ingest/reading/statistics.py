"""Counts what there is in a set, one pair at a time: nothing here grows with the pixels."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.record import ClassInfo, Task
from workers.ingest.items import ImageObjects
from workers.prepared.planes import combinations
from workers.prepared.version import PreparedClass, Uint8

NO_CLASS = -1
"""Stands for the value of pixels that a label map says to ignore."""

ENOUGH_PIXELS = 1 << 16
"""Of so many pixels, the mean colour is that of the image to three digits."""

_FLAT = 2
_COUNTED_AT_ONCE = 1 << 24
"""Pixels; a histogram's counts are floats, exact up to that."""
_SHORTEST_RUNS = 8
"""Pixels of a mean run from which on runs are counted."""

COCO_SIDES = (32, 96)
"""A box is small where its area is below that of a square of the first, large from that of the second on."""

Triple = tuple[float, float, float]
Floats = NDArray[np.float64]
Meanings = Mapping[int, frozenset[int]]
"""For each byte of a mask, or combination of its bits, the values that a pixel with it has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectCounts:
    """What was seen of an image's objects: how many of each value are small, medium and large, by their boxes
    as prepared, as COCO parts them. Crowds are counted apart; `lost` were left out.
    """

    values: dict[int, tuple[int, int, int]]
    crowds: int
    lost: int
    sha256: str

    @property
    def totals(self) -> dict[int, int]:
        """How many there are of each value."""
        return {value: sum(by_size) for value, by_size in self.values.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleCounts:
    """What was seen in one pair: pixels per byte of the mask as rasterized, or per combination of its
    bits; size as prepared, digests, colours.

    Of an image with labels `values` are these, each counted once. `image_sha256` is of the picture's file,
    `mask_sha256` of the mask's pixels, or of the labels. `mean` and `square` are
    those of each channel and of its square, in 0 to 255, over the rows that `channel_means` looks at.
    `objects` are None where the set has no boxes. `sketch` is what `sketch.sketch` makes of the image, empty
    of deep ones.
    """

    name: str
    mask_file: str
    height: int
    width: int
    values: dict[int, int]
    image_sha256: str
    mask_sha256: str
    mean: Triple
    square: Triple
    sketch: bytes
    objects: ObjectCounts | None = None

    def mapped(self, meanings: Meanings) -> "SampleCounts":
        """With each byte b counted as every value of `meanings[b]`; this one itself where that is b."""
        if all(meanings[byte] == {byte} for byte in self.values):
            return self
        values: Counter[int] = Counter()
        for byte, count in self.values.items():
            for value in meanings[byte]:
                values[value] += count
        return replace(self, values=dict(values))


def count_objects(found: ImageObjects) -> ObjectCounts:
    """What there is of an image's objects; the hash is of their boxes, values, crowds and outlines."""
    objects = found.objects
    single = objects.classes[~objects.crowd]
    areas = (objects.boxes[:, 2:] - objects.boxes[:, :2])[~objects.crowd].prod(axis=1)
    sizes = np.searchsorted([side**2 for side in COCO_SIDES], areas, side="right")
    counts = Counter(zip(single.tolist(), sizes.tolist(), strict=True))
    digest = hashlib.sha256(objects.boxes.tobytes() + objects.classes.tobytes() + objects.crowd.tobytes())
    for outline in found.outlines:
        digest.update(len(outline).to_bytes(4, "little") + outline)
    return ObjectCounts(
        values={
            value: (counts[value, 0], counts[value, 1], counts[value, 2])
            for value in {one for one, _ in counts}
        },
        crowds=int(objects.crowd.sum()),
        lost=found.lost,
        sha256=digest.hexdigest(),
    )


def count_values(mask: Uint8) -> dict[int, int]:
    """Pixels of each value that occurs in the mask, (H, W) contiguous; of one with planes, (H, W, P), of each
    combination of bits."""
    if mask.ndim > _FLAT:
        return combinations(mask)
    rows = max(_COUNTED_AT_ONCE // mask.shape[1], 1)
    counts = np.zeros(256, np.int64)
    for top in range(0, len(mask), rows):
        counts += _counted(mask[top : top + rows].reshape(-1))
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


def _counted(pixels: Uint8) -> NDArray[np.int64]:
    """How many of the pixels, (N,), have each of the 256 values.

    Masks are areas of one value: their runs are counted three times as quickly as their pixels.
    """
    changes = pixels[1:] != pixels[:-1]
    if _SHORTEST_RUNS * np.count_nonzero(changes) > pixels.size:
        return cv2.calcHist([pixels], [0], None, [256], [0, 256]).reshape(256).astype(np.int64)
    ends = np.append(np.flatnonzero(changes), pixels.size - 1)
    lengths = np.diff(ends, prepend=-1)
    return np.bincount(pixels[ends], weights=lengths, minlength=256).astype(np.int64)


def channel_means(image: Uint8) -> tuple[Triple, Triple]:
    """Mean of each channel and of its square, of an image, (H, W, 3), in 0 to 255.

    Of an image of more than ENOUGH_PIXELS, rows at equal distances are looked at that have about as many.
    """
    step = max(image.shape[0] * image.shape[1] // ENOUGH_PIXELS, 1)
    channels = cv2.split(np.ascontiguousarray(image[::step]))
    # norms of one channel are sums: twice as quick as meanStdDev
    sums = np.array([[cv2.norm(one, kind) for one in channels] for kind in (cv2.NORM_L1, cv2.NORM_L2SQR)])
    mean, square = sums / channels[0].size
    return _triple(mean), _triple(square)


def channel_statistics(readings: Collection[SampleCounts]) -> tuple[Triple, Triple]:
    """Mean and standard deviation per channel over the pixels of all images, in 0 to 1."""
    pixels = [reading.height * reading.width for reading in readings]
    mean = np.average([reading.mean for reading in readings], axis=0, weights=pixels)
    square = np.average([reading.square for reading in readings], axis=0, weights=pixels)
    return _triple(mean / 255), _triple(np.sqrt(np.maximum(square - mean**2, 0)) / 255)


def class_infos(
    classes: list[PreparedClass], readings: Collection[SampleCounts]
) -> tuple[tuple[ClassInfo, ...], float]:
    """Each class with its pixels, its share of the labelled pixels and its images; and the ignored share.

    The ignored share is of all pixels; those are ignored that are counted as a value of no class.
    """
    pixels: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for reading in readings:
        pixels.update(reading.values)
        images.update(reading.values.keys())
    total = sum(reading.height * reading.width for reading in readings)
    labelled = total - sum(pixels[value] for value in pixels.keys() - {info.value for info in classes})
    infos = tuple(
        ClassInfo(
            index=info.index,
            name=info.name,
            value=info.value,
            color=info.color,
            pixels=pixels[info.value],
            share=pixels[info.value] / labelled,
            images=images[info.value],
        )
        for info in classes
    )
    return infos, 1 - labelled / total


def size_counts(readings: Collection[SampleCounts]) -> dict[str, int]:
    """Images per "WIDTHxHEIGHT", the most frequent first."""
    return dict(Counter(f"{reading.width}x{reading.height}" for reading in readings).most_common())


def content_hash(
    task: Task,
    classes: list[PreparedClass],
    table: bytes,
    readings: Collection[SampleCounts],
    places: Mapping[str, tuple[str, int | None]],
) -> str:
    """SHA-256 of what training sees: task, classes, which byte of a mask (by `table`) is which, and of each
    sample, by name, split, fold, size and pixels."""
    digest = hashlib.sha256(table)
    digest.update(task.encode())
    for info in classes:
        digest.update(json.dumps(["class", info.index, info.name, info.value]).encode())
    for reading in sorted(readings, key=lambda one: one.name):
        split, fold = places[reading.name]
        entry = [reading.name, split, fold, reading.width, reading.height]
        objects = () if reading.objects is None else (reading.objects.sha256,)
        digest.update(json.dumps([*entry, reading.image_sha256, reading.mask_sha256, *objects]).encode())
    return digest.hexdigest()


def _triple(values: Floats) -> Triple:
    return float(values[0]), float(values[1]), float(values[2])
