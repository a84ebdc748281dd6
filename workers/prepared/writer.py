"""Writes a prepared version; `version` has its form."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.prepared_index import (
    DepthScale,
    PreparedClass,
    Sample,
    VersionIndex,
    mask_file,
    write_index,
)
from trainyard.datasets.record import MASKS, Kind, Task
from workers.prepared.objects import Objects, ObjectsWriter
from workers.prepared.planes import shape_of
from workers.prepared.run_lengths import compressed, runs_of

Uint8 = NDArray[np.uint8]

_RECODED_BYTES = 1 << 22
_FLUSH_EVERY_S = 0.03


class PreparedWriter:
    """Fills a new prepared folder; `write_index` comes last, and without it there is no set.

    Pixels are written to places that the caller knows, in any order, also from processes forked meanwhile;
    objects in the order of samples, by one process. `depth` says how pixels of more than 8 bits were scaled.
    `kinds` are those of the annotations, `mask_planes` how many planes masks have.
    """

    def __init__(self, folder: Path, kinds: tuple[Kind, ...] = MASKS, *, mask_planes: int = 1) -> None:
        self.kinds = kinds
        self.mask_planes = mask_planes
        self.depth: tuple[DepthScale, ...] = ()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._images: BinaryIO = (folder / "images.bin").open("wb", buffering=0)
        self._masks: BinaryIO | None = None
        self._replaced: list[BinaryIO] = []
        if "masks" in kinds:
            self._masks = (folder / mask_file(mask_planes)).open("wb", buffering=0)
        self._objects: ObjectsWriter | None = None
        if "boxes" in kinds:
            self._objects = ObjectsWriter(folder, outlines="outlines" in kinds)
        self._samples: list[Sample] = []

    def __enter__(self) -> "PreparedWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as files:
            for file in (self._images, self._masks, self._objects, *self._replaced):
                if file is not None:
                    files.callback(file.close)

    def write_image(self, start: int, image: Uint8) -> None:
        """Write rows of an image, (H, W, 3) RGB; `start` counts the pixels that lie before them."""
        _write(self._images, 3 * start, image)

    def write_mask(self, start: int, mask: Uint8) -> None:
        """Write a mask, (H, W) or with its planes (H, W, P); `start` counts the pixels that lie before it."""
        assert self._masks is not None  # noqa: S101 - narrows the type
        _write(self._masks, self.mask_planes * start, mask)

    def begin_objects(self, kinds: tuple[Kind, ...]) -> None:
        """Have these kinds from now on, of a set of masks whose objects are found once all are written."""
        self.kinds = kinds
        self._objects = ObjectsWriter(self._folder, outlines="outlines" in kinds)

    def write_objects(self, objects: Objects, outlines: Sequence[bytes] = ()) -> int:
        """Write the objects of an image behind all before, with the compressed runs of each where the set
        has outlines; the number of objects before them."""
        assert self._objects is not None  # noqa: S101 - narrows the type
        return self._objects.write(objects, outlines)

    @contextmanager
    def flushing(self) -> Iterator[None]:
        """Send what is written to the disk meanwhile, so that `write_index` has little to wait for.

        Raises OSError where the disk refused it: the system tells that once.
        """
        done = threading.Event()
        errors: list[OSError] = []
        thread = threading.Thread(target=self._flush_until, args=(done, errors), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        for error in errors:
            raise error

    def _flush_until(self, done: threading.Event, errors: list[OSError]) -> None:
        while not errors and not done.wait(_FLUSH_EVERY_S):
            try:
                for file in self._files():
                    os.fdatasync(file.fileno())
            except OSError as error:
                errors.append(error)

    def _files(self) -> list[BinaryIO]:
        return [self._images] if self._masks is None else [self._images, self._masks]

    def mask(self, sample: Sample) -> Uint8:
        """The mask of a sample as it was written, as `write_mask` takes it, read from the file."""
        planes = self.mask_planes
        size = planes * sample.height * sample.width
        with (self._folder / mask_file(planes)).open("rb") as file:
            file.seek(planes * sample.mask_offset)
            read = np.frombuffer(file.read(size), np.uint8)
            return read.reshape(shape_of(sample.height, sample.width, planes))

    def recode_planes(self, planes: int, code: Callable[[Uint8], Uint8]) -> None:
        """Replace all masks by what `code` makes of pixels, (N, P), into so many planes, (N, planes); either
        is (N,) where it is one plane."""
        old, new = self._folder / mask_file(self.mask_planes), self._folder / f"{mask_file(planes)}.new"
        masks: Uint8 = np.memmap(old, dtype=np.uint8, mode="r")
        if self.mask_planes > 1:
            masks = masks.reshape(-1, self.mask_planes)
        with new.open("wb") as file:
            for start in range(0, len(masks), _RECODED_BYTES):
                file.write(np.ascontiguousarray(code(masks[start : start + _RECODED_BYTES])).data)
        del masks
        assert self._masks is not None  # noqa: S101 - narrows the type
        self._replaced.append(self._masks)  # which `flushing` may be about to flush
        old.unlink()
        self._masks = new.rename(self._folder / mask_file(planes)).open("rb+", buffering=0)
        self.mask_planes = planes

    def recode_masks(self, table: bytes) -> None:
        """Replace each value v of all masks of one plane by `table[v]` (256 bytes), in place.

        For class values that are known only after the last mask.
        """
        codes = np.frombuffer(table, np.uint8)
        masks: Uint8 = np.memmap(self._folder / mask_file(1), dtype=np.uint8, mode="r+")
        for start in range(0, masks.size, _RECODED_BYTES):
            block = masks[start : start + _RECODED_BYTES]
            block[:] = codes[block]

    def recode_objects(self, table: NDArray[np.int64], samples: Sequence[Sample]) -> list[Sample]:
        """Replace each class c of all objects by `table[c]`, in place, and leave out those of a class below
        0; the samples with the new places of their objects."""
        assert self._objects is not None  # noqa: S101 - narrows the type
        return self._objects.recode(table, samples)

    def write_index(
        self,
        samples: Sequence[Sample],
        classes: list[PreparedClass],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        content_hash: str,
        task: Task = "multiclass",
        *,
        object_classes: Sequence[PreparedClass] = (),
    ) -> None:
        """Write the index of what was written; statistics are of RGB in 0 to 1."""
        for file in self._files():
            os.fsync(file.fileno())
        if self._objects is not None:
            self._objects.sync()
        write_index(
            self._folder,
            VersionIndex(
                content_hash=content_hash,
                task=task,
                kinds=self.kinds,
                mask_planes=self.mask_planes,
                classes=classes,
                object_classes=object_classes,
                mean=mean,
                std=std,
                samples=samples,
                depth=self.depth,
            ),
        )

    def append(self, name: str, image: Uint8, mask: Uint8) -> None:
        """Add an image, (H, W, 3) RGB, and its mask, (H, W) of class indices or bits or, with several planes,
        (H, W, P), behind all before."""
        height, width = mask.shape[:2]
        if image.shape != (height, width, 3) or image.dtype != np.uint8 or mask.dtype != np.uint8:
            raise ValueError(f"{name}: image {image.shape} {image.dtype}, mask {mask.shape} {mask.dtype}")
        start = self._append(name, image, ())
        self.write_mask(start, np.ascontiguousarray(mask))

    @property
    def samples(self) -> list[Sample]:
        """What was appended; the splits are to come."""
        return list(self._samples)

    def append_labelled(self, name: str, image: Uint8, labels: Sequence[int]) -> None:
        """Add an image, (H, W, 3) uint8 RGB, with the indices of its classes, behind all before."""
        self._append(name, image, tuple(sorted(labels)))

    def append_objects(
        self,
        name: str,
        image: Uint8,
        objects: Objects,
        outlines: Uint8 | None = None,
        mask: Uint8 | None = None,
    ) -> None:
        """Add an image, (H, W, 3) uint8 RGB, and its objects, behind all before.

        `outlines` are their masks, (N, H, W) of 0 and 1, none empty, where the set has them; `mask` is as in
        `append`, where the set has masks, too. Raises ValueError where they do not fit the image.
        """
        height, width = image.shape[:2]
        objects.check(width, height)
        if outlines is not None and outlines.shape != (len(objects), height, width):
            raise ValueError(f"{name}: image {image.shape}, outlines {outlines.shape}")
        runs = () if outlines is None else [compressed(runs_of(one)) for one in outlines]
        start = self._append(name, image, tuple(sorted(set(objects.classes.tolist()))))
        first = self.write_objects(objects, runs)
        self._samples[-1] = replace(self._samples[-1], first_object=first, objects=len(objects))
        if mask is not None:
            self.write_mask(start, np.ascontiguousarray(mask))

    def _append(self, name: str, image: Uint8, classes: tuple[int, ...]) -> int:
        last = self._samples[-1] if self._samples else None
        start = last.mask_offset + last.height * last.width if last else 0
        self.write_image(start, np.ascontiguousarray(image))
        self._samples.append(placed(name, (image.shape[1], image.shape[0]), start, classes))
        return start

    def finish(
        self,
        splits: Mapping[str, str],
        classes: list[PreparedClass],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        content_hash: str,
        task: Task = "multiclass",
        *,
        object_classes: Sequence[PreparedClass] | None = None,
    ) -> None:
        """Write the index of the samples that were appended; `splits` maps a sample's name to its split.

        `object_classes` are by default all `classes` where the set has boxes.
        """
        samples = [replace(sample, split=splits[sample.name]) for sample in self._samples]
        if object_classes is None:
            object_classes = classes if self._objects is not None else ()
        self.write_index(samples, classes, mean, std, content_hash, task, object_classes=object_classes)


def placed(name: str, size: tuple[int, int], start: int, classes: tuple[int, ...] = ()) -> Sample:
    """A sample of that width and height whose pixels begin behind `start` others; its split is to come."""
    width, height = size
    return Sample(
        name=name,
        split="",
        height=height,
        width=width,
        image_offset=3 * start,
        mask_offset=start,
        classes=classes,
    )


def _write(file: BinaryIO, at: int, pixels: Uint8) -> None:
    """Write contiguous pixels at a byte of a file, whatever other processes write elsewhere in it."""
    rest = pixels.reshape(-1).data
    while rest:
        written = os.pwrite(file.fileno(), rest, at)
        rest, at = rest[written:], at + written
