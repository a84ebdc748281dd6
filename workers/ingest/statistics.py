"""Counts what there is in a set, one pair at a time: nothing here grows with the pixels."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from trainyard.datasets import ClassInfo
from workers.prepared import PreparedClass, Uint8

_BLOCK = 1 << 20  # pixels counted at a time: bincount widens its input to 8 bytes

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was seen in one pair: pixels per mask value (as sent), size, and the image's digest."""

    name: str
    mask_file: str
    height: int
    width: int
    values: dict[int, int]
    image_sha256: str


def count_values(mask: Uint8) -> dict[int, int]:
    """Pixels of each value that occurs in the mask, (H, W)."""
    flat = mask.reshape(-1)
    counts = np.zeros(256, np.int64)
    for start in range(0, flat.size, _BLOCK):
        counts += np.bincount(flat[start : start + _BLOCK], minlength=256)
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


class ChannelStatistics:
    """Mean and standard deviation per channel over all pixels of all images, in 0 to 1."""

    def __init__(self) -> None:
        self._pixels = 0
        self._sums = np.zeros(3)
        self._squares = np.zeros(3)

    def add(self, image: Uint8) -> None:
        """Count an image, (H, W, 3)."""
        pixels = image.shape[0] * image.shape[1]
        mean, std = (values.reshape(3) for values in cv2.meanStdDev(image))
        self._pixels += pixels
        self._sums += pixels * mean
        self._squares += pixels * (std**2 + mean**2)

    def result(self) -> tuple[Triple, Triple]:
        """Mean and standard deviation of red, green and blue; at least one image must have been added."""
        mean = self._sums / self._pixels
        std = np.sqrt(np.maximum(self._squares / self._pixels - mean**2, 0))
        return _triple(mean / 255), _triple(std / 255)


def class_infos(
    classes: list[PreparedClass], readings: Collection[Reading]
) -> tuple[tuple[ClassInfo, ...], float]:
    """Each class with its pixels, its share of the labelled pixels and its images; and the ignored share.

    The ignored share is of all pixels.
    """
    pixels: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for reading in readings:
        pixels.update(reading.values)
        images.update(reading.values.keys())
    labelled = sum(pixels[info.value] for info in classes)
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
    return infos, 1 - labelled / pixels.total()


def size_counts(readings: Collection[Reading]) -> dict[str, int]:
    """Images per "WIDTHxHEIGHT", the most frequent first."""
    return dict(Counter(f"{reading.width}x{reading.height}" for reading in readings).most_common())


def content_hash(
    classes: list[PreparedClass],
    readings: Collection[Reading],
    splits: Mapping[str, str],
    mask_sha256: Mapping[str, str],
) -> str:
    """SHA-256 of what training sees: classes, and of each sample, by name, split, size and bytes."""
    digest = hashlib.sha256()
    for info in classes:
        digest.update(json.dumps(["class", info.index, info.name, info.value]).encode())
    for reading in sorted(readings, key=lambda one: one.name):
        name = reading.name
        entry = [name, splits[name], reading.width, reading.height, reading.image_sha256, mask_sha256[name]]
        digest.update(json.dumps(entry).encode())
    return digest.hexdigest()


def _triple(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Triple:
    return float(values[0]), float(values[1]), float(values[2])
