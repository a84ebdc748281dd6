"""Reads items, one in memory at a time, into the prepared form; notes what is seen and what is wrong."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from trainyard.datasets.record import Problem
from workers.ingest.items import ImageObjects, Item, Labels, ObjectsTruth, Source, Truth
from workers.ingest.pictures.decode import DecodedImage, decode
from workers.ingest.pictures.depth import depth_of
from workers.ingest.pictures.flat_images import is_flat
from workers.ingest.pictures.sketch import sketch
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.raster.shrink import Size, capped, shrunk
from workers.ingest.raster.strips import Values, strip_rows
from workers.ingest.reading.deep_images import DeepImage, DeepSpool
from workers.ingest.reading.statistics import SampleCounts, Triple, channel_means, count_objects, count_values
from workers.ingest.reading.write_order import SetTooLarge, Turns
from workers.prepared.version import PreparedWriter, Sample, Uint8, placed

_BLANK = np.zeros(1, np.uint8)
_HEAVIER = 3  # times the memory of 8 bits, at most, that floats take with their file
_TO_COME: Triple = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an item; `reading` and `sample` are None where it cannot be used.

    `deep` is set where its image has more than 8 bits: its pixels, and their means, are to come. `is_flat`
    says whether the image looks like labels. `objects` are to be written.
    """

    problems: tuple[Problem, ...]
    reading: SampleCounts | None = None
    sample: Sample | None = None
    deep: DeepImage | None = None
    is_flat: bool = False
    objects: ImageObjects | None = None


class ItemReader:
    """Decodes items, paints their masks and writes both, with mask values as sent.

    Several processes may each have a copy of one reader. An image of more than `alone` pixels is read only
    while no later one is begun to be decoded: so a few of the largest do not meet in memory.
    """

    def __init__(
        self,
        source: Source,
        items: Sequence[Item],
        writer: PreparedWriter,
        turns: Turns,
        spool: DeepSpool,
        *,
        max_side: int | None,
        alone: int,
        sketched: bool,
    ) -> None:
        """`max_side` caps the longer side of what is written, in pixels; `spool` takes deep images. Those of
        8 bits are `sketched` where that is asked for."""
        self._sketched = sketched
        self._source = source
        self._items = items
        self._writer = writer
        self._turns = turns
        self._spool = spool
        self._max_side = max_side
        self._alone = alone

    def next(self) -> tuple[int, Outcome] | None:
        """Read the next item that nobody has taken; None after the last.

        Raises SetTooLarge, OSError where the storage fails.
        """
        index = self._turns.take()
        if index is None:
            return None
        log = ProblemLog()
        item = self._items[index]
        try:
            outcome = self._read(index, item, log)
        finally:
            self._turns.pass_on(index)
        return index, outcome or Outcome(problems=log.problems())

    def _read(self, index: int, item: Item, log: ProblemLog) -> Outcome | None:
        """Read an item; None, the reason logged, where it cannot be used."""
        try:
            image, digest, start = self._image(index, item)
        except SetTooLarge:
            raise
        except Refused as refusal:
            log.refused(item.image.path, refusal)
            return None
        for note in image.notes:
            log.warning(note.code, item.image.path, note.message, note.remedy)
        size = capped(image.size, self._max_side)
        pixels = image.pixels if size == image.kept_size else shrunk(image.pixels, size)
        # a truth needs the image's size, not its pixels, which would take memory while it is rasterized
        image = replace(image, pixels=np.ndarray(image.pixels.shape, np.uint8, _BLANK, strides=(0, 0, 0)))
        flat = pixels.dtype == np.uint8 and is_flat(pixels)
        deep = None
        mean = square = _TO_COME
        look = b""
        if pixels.dtype == np.uint8:
            mean, square = self._write_image(start, pixels)
            look = sketch(pixels) if self._sketched else b""
        else:
            self._spool.write(start, pixels)
            deep = DeepImage(start=start, height=size[1], width=size[0], depth=depth_of(pixels))
        del pixels
        try:
            values, truth_digest, objects = self._truth(item, image, size, start)
        except Refused as refusal:
            log.refused(item.truth.file, refusal)
            return None
        reading = SampleCounts(
            name=item.name,
            mask_file=item.truth.file,
            height=size[1],
            width=size[0],
            values=values,
            image_sha256=digest,
            mask_sha256=truth_digest,
            mean=mean,
            square=square,
            sketch=look,
            objects=None if objects is None else count_objects(objects),
        )
        for note in () if objects is None else objects.notes:
            log.warning(note.code, item.image.path, note.message, note.remedy)
        sample = placed(item.name, size, start)
        return Outcome(
            problems=log.problems(), reading=reading, sample=sample, deep=deep, is_flat=flat, objects=objects
        )

    def _image(self, index: int, item: Item) -> tuple[DecodedImage, str, int]:
        """The image, the hash of its file, and the place of its pixels.

        The place is known from the header, so that the next item need not wait for this one's pixels.
        """
        data = self._source.read(item.image)
        if item.unpack is not None:
            data = item.unpack(data)
        start = 0

        def begin(width: int, height: int, heavy: bool) -> None:
            nonlocal start
            size = capped((width, height), self._max_side)
            start = self._turns.place(index, size[0] * size[1])
            if width * height * (_HEAVIER if heavy else 1) <= self._alone:
                self._turns.pass_on(index)

        image = decode(data, begin, self._max_side)
        return image, hashlib.sha256(data).hexdigest(), start

    def _write_image(self, start: int, pixels: Values) -> tuple[Triple, Triple]:
        """Write an image of 8 bits at its place, some rows at a time; returns its `channel_means`."""
        height, width = pixels.shape[:2]
        rows = strip_rows(width)
        for top in range(0, height, rows):
            band = np.ascontiguousarray(pixels[top : top + rows])
            self._writer.write_image(start + top * width, band)
        return channel_means(pixels)

    def _truth(
        self, item: Item, image: DecodedImage, size: Size, start: int
    ) -> tuple[dict[int, int], str, ImageObjects | None]:
        """What is counted of an item's truth, its hash, and its objects; a mask is written at its place."""
        if isinstance(item.truth, Labels):
            labels = item.truth.indices
            return dict.fromkeys(labels, 1), hashlib.sha256(repr(labels).encode()).hexdigest(), None
        mask, objects = self._drawn(item.truth, image, size)
        if mask is None:
            assert objects is not None  # noqa: S101 - narrows the type
            return count_objects(objects).totals, "", objects
        mask = self._fitted(item, mask, image, size)
        self._writer.write_mask(start, mask)
        return count_values(mask), hashlib.sha256(mask.data).hexdigest(), objects

    def _drawn(
        self, truth: Truth, image: DecodedImage, size: Size
    ) -> tuple[Uint8 | None, ImageObjects | None]:
        """What the set has of the kinds of its annotations."""
        read, kinds = self._source.read, self._writer.kinds
        if "boxes" not in kinds:
            return truth.rasterize(read, image), None
        assert isinstance(truth, ObjectsTruth)  # noqa: S101 - see FoundSet
        if "outlines" in kinds:
            if "masks" not in kinds:
                return None, truth.outlines(read, image, size)
            return truth.instances(read, image, size)
        return truth.rasterize(read, image) if "masks" in kinds else None, truth.boxes(read, image, size)

    def _fitted(self, item: Item, mask: Uint8, image: DecodedImage, size: Size) -> Uint8:
        if (mask.shape[1], mask.shape[0]) != image.kept_size or mask.dtype != np.uint8:
            raise ValueError(f"{item.name}: the mask is {mask.shape} {mask.dtype}, not {image.kept_size}")
        if size != image.kept_size:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8, copy=False)
        return np.ascontiguousarray(mask)
