"""Images of more than 8 bits on their way to 8: their range is known when the last one is read.

So each is kept in its own depth in a file on disk, from which it is written again by the scale of the whole
set (`depth` has the rule). Sets without such images leave the file empty.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from workers.ingest.pictures.depth import Depth, Scale, to_eight_bits
from workers.ingest.pictures.depth_words import named, told
from workers.ingest.problems import ProblemLog
from workers.ingest.raster.strips import Values, strip_rows
from workers.ingest.reading.statistics import SampleCounts, channel_means
from workers.prepared.version import DepthScale, PreparedWriter, Uint8

_PIXEL_BYTES = 3 * 4


@dataclass(frozen=True, kw_only=True, slots=True)
class DeepImage:
    """An image in the spool: its size as prepared, and the number of pixels that lie before it."""

    start: int
    height: int
    width: int
    depth: Depth

    @property
    def group(self) -> tuple[str, int]:
        """The images with which it shares a scale: of one kind of number, with as many channels."""
        return self.depth.kind, len(self.depth.channels)


class DeepSpool:
    """A file of pixels in their own depth. Each image has the place that its prepared pixels will have, so
    that processes write to it without a word; the file has holes where no deep image is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "deep.bin"
        self._file = self._path.open("w+b", buffering=0)

    def write(self, start: int, values: Values) -> None:
        """Keep an image, (H, W, 1 or 3); raises OSError."""
        rows = strip_rows(values.shape[1])
        at = _PIXEL_BYTES * start
        for top in range(0, len(values), rows):
            left = memoryview(values[top : top + rows].tobytes())
            while left:
                written = os.pwrite(self._file.fileno(), left, at)
                left, at = left[written:], at + written

    def read(self, image: DeepImage) -> Values:
        """An image that was kept, not yet in memory."""
        kind, channels = image.group
        shape = image.height, image.width, channels
        return np.memmap(self._path, kind, "r", _PIXEL_BYTES * image.start, shape)

    def remove(self) -> None:
        """Close and delete the file."""
        self._file.close()
        self._path.unlink()


class DeepImages:
    """The deep images of a set, by the place of their readings."""

    def __init__(self, spool: DeepSpool) -> None:
        self.spool = spool
        self._images: dict[int, DeepImage] = {}

    def add(self, place: int, image: DeepImage | None) -> None:
        """Note the image of the reading at that place; None where it is not deep."""
        if image is not None:
            self._images[place] = image

    def settled(
        self, readings: list[SampleCounts], writer: PreparedWriter, log: ProblemLog
    ) -> list[SampleCounts]:
        """Write all deep images as 8 bits, and say how, in the index, too; returns the readings with their
        means.

        The scale becomes part of their digests, as the same file may look different in another set. Raises
        OSError. The spool is gone then.
        """
        groups: defaultdict[tuple[str, int], list[DeepImage]] = defaultdict(list)
        for image in self._images.values():
            groups[image.group].append(image)
        depths = {group: reduce(Depth.joined, (i.depth for i in images)) for group, images in groups.items()}
        scales = {group: depth.scales for group, depth in depths.items()}
        for place, image in self._images.items():
            readings[place] = self._written(image, scales[image.group], readings[place], writer)
        self.spool.remove()
        writer.depth = tuple(
            DepthScale(kind=kind, channels=tuple((scale.low, scale.high) for scale in scales[kind, count]))
            for kind, count in sorted(scales)
        )
        if groups:
            _report(depths, {group: len(images) for group, images in groups.items()}, len(readings), log)
        return readings

    def _written(
        self, image: DeepImage, scales: Sequence[Scale], reading: SampleCounts, writer: PreparedWriter
    ) -> SampleCounts:
        pixels: Uint8 = np.empty((image.height, image.width, 3), np.uint8)
        for top, band in to_eight_bits(self.spool.read(image), scales):
            pixels[top : top + len(band)] = band
            writer.write_image(image.start + top * image.width, band)
        mean, square = channel_means(pixels)
        scaled = hashlib.sha256(f"{reading.image_sha256} {scales}".encode()).hexdigest()
        return replace(reading, mean=mean, square=square, image_sha256=scaled)


def _report(
    depths: dict[tuple[str, int], Depth], counts: dict[tuple[str, int], int], images: int, log: ProblemLog
) -> None:
    kinds = [f"{counts[group]} image(s) of {told(depth)}" for group, depth in depths.items()]
    log.warning(
        "depth_scaled",
        None,
        f"Images of more than 8 bits were scaled to 8 by the range of the whole set: {'; '.join(kinds)}.",
        "Nothing, if that is meant; else scale them to 8 bits as you want them seen, and send the set again.",
    )
    shallow = images - sum(counts.values())
    if shallow or len(depths) > 1:
        mixed = [named(depth) for depth in depths.values()] + (["8 bits"] if shallow else [])
        log.warning(
            "depth_mixed",
            None,
            f"The set mixes images of {' and of '.join(mixed)}; each kind has a scale of its own"
            + (f", and the {shallow} of 8 bits stay as they are." if shallow else "."),
            "Check that they look alike; if not, save all images with one depth and the same channels.",
        )
