"""The form that ingest writes once and training maps into memory.

    prepared/images.bin   uint8 RGB, height x width x 3 of each sample, one after the other
    prepared/masks.bin    uint8, height x width of each sample: class index, 255 where ignored; of a
                          multilabel set bit c is set where the pixel has class c, and 0 is no class
    prepared/index.json   task, classes, channel statistics, and where each sample lies

Workers on one machine that map the same files share one copy in the page cache.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets import Task
from trainyard.storage import SCHEMA, read_json, write_text

IGNORE_INDEX = 255
"""The value of a mask pixel that belongs to no class; class indices are below it."""

MAX_OVERLAPPING = 8
"""Classes of a multilabel set: a mask has one byte per pixel."""

Uint8 = NDArray[np.uint8]

_RECODED_BYTES = 1 << 22
_FLUSH_EVERY_S = 0.03


@dataclass(frozen=True, kw_only=True)
class PreparedClass:
    """A class as training sees it; `index` is its value or its bit in masks.bin, `color` RGB."""

    index: int
    name: str
    value: int
    color: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image with its mask; offsets are bytes into images.bin and masks.bin, sizes pixels.

    `split` is train, val, test or unused. `fold` is the number, from 0, of the fold in which it validates,
    None where it has none. `classes` are the indices of the classes in the mask, ascending. Samples
    of one `digest` are copies of one image; it is empty where that is not known.
    """

    name: str
    split: str
    height: int
    width: int
    image_offset: int
    mask_offset: int
    fold: int | None = None
    classes: tuple[int, ...] = ()
    digest: str = ""


class PreparedWriter:
    """Fills a new prepared folder; `write_index` comes last, and without it there is no set.

    Pixels are written to places that the caller knows, in any order, also from processes forked meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._images: BinaryIO = (folder / "images.bin").open("wb", buffering=0)
        self._masks: BinaryIO = (folder / "masks.bin").open("wb", buffering=0)
        self._samples: list[Sample] = []

    def __enter__(self) -> "PreparedWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._images.close()
        finally:
            self._masks.close()

    def write_image(self, start: int, image: Uint8) -> None:
        """Write rows of an image, (H, W, 3) RGB; `start` counts the pixels that lie before them."""
        _write(self._images, 3 * start, image)

    def write_mask(self, start: int, mask: Uint8) -> None:
        """Write a mask, (H, W); `start` counts the pixels that lie before it."""
        _write(self._masks, start, mask)

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
                for file in (self._images, self._masks):
                    os.fdatasync(file.fileno())
            except OSError as error:
                errors.append(error)

    def mask(self, sample: Sample) -> Uint8:
        """The mask of a sample as it was written, (H, W), read from the file."""
        size = sample.height * sample.width
        with (self._folder / "masks.bin").open("rb") as file:
            file.seek(sample.mask_offset)
            return np.frombuffer(file.read(size), np.uint8).reshape(sample.height, sample.width)

    def recode_masks(self, table: bytes) -> None:
        """Replace each value v of all masks by `table[v]` (256 bytes), in place.

        For class values that are known only after the last mask.
        """
        codes = np.frombuffer(table, np.uint8)
        masks: Uint8 = np.memmap(self._folder / "masks.bin", dtype=np.uint8, mode="r+")
        for start in range(0, masks.size, _RECODED_BYTES):
            block = masks[start : start + _RECODED_BYTES]
            block[:] = codes[block]

    def write_index(
        self,
        samples: Sequence[Sample],
        classes: list[PreparedClass],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        content_hash: str,
        task: Task = "multiclass",
    ) -> None:
        """Write the index of what was written; statistics are of RGB in 0 to 1."""
        for file in (self._images, self._masks):
            os.fsync(file.fileno())
        index: dict[str, Any] = {
            "content_hash": content_hash,
            "task": task,
            "classes": [asdict(info) for info in classes],
            "mean": mean,
            "std": std,
            "samples": [vars(sample) for sample in samples],
        }
        write_text(self._folder / "index.json", json.dumps({"schema": SCHEMA, **index}, ensure_ascii=False))

    def append(self, name: str, image: Uint8, mask: Uint8) -> None:
        """Add an image, (H, W, 3) RGB, and its mask, (H, W), of class indices, behind all before."""
        height, width = mask.shape
        if image.shape != (height, width, 3) or image.dtype != np.uint8 or mask.dtype != np.uint8:
            raise ValueError(f"{name}: image {image.shape} {image.dtype}, mask {mask.shape} {mask.dtype}")
        last = self._samples[-1] if self._samples else None
        start = last.mask_offset + last.height * last.width if last else 0
        self.write_image(start, np.ascontiguousarray(image))
        self.write_mask(start, np.ascontiguousarray(mask))
        self._samples.append(
            Sample(name=name, split="", height=height, width=width, image_offset=3 * start, mask_offset=start)
        )

    def finish(
        self,
        splits: Mapping[str, str],
        classes: list[PreparedClass],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        content_hash: str,
    ) -> None:
        """Write the index of the samples that were appended; `splits` maps a sample's name to its split."""
        samples = [replace(sample, split=splits[sample.name]) for sample in self._samples]
        self.write_index(samples, classes, mean, std, content_hash)


class PreparedDataset:
    """A prepared folder, mapped read-only. Safe to pickle to a loader process, which maps it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        index = read_json(folder / "index.json")
        self.content_hash: str = index["content_hash"]
        self.task: Task = index.get("task", "multiclass")
        self.classes = [PreparedClass(**{**c, "color": tuple(c["color"])}) for c in index["classes"]]
        self.mean: tuple[float, float, float] = tuple(index["mean"])
        self.std: tuple[float, float, float] = tuple(index["std"])
        self.samples = [Sample(**{**s, "classes": tuple(s.get("classes", ()))}) for s in index["samples"]]
        self._map()

    def _map(self) -> None:
        self._images: Uint8 = np.memmap(self._folder / "images.bin", dtype=np.uint8, mode="r")
        self._masks: Uint8 = np.memmap(self._folder / "masks.bin", dtype=np.uint8, mode="r")

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_images", "_masks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._map()

    def image(self, sample: Sample) -> Uint8:
        """The image, (H, W, 3) uint8 RGB, a read-only view."""
        size = sample.height * sample.width * 3
        flat = self._images[sample.image_offset : sample.image_offset + size]
        return flat.reshape(sample.height, sample.width, 3)

    def mask(self, sample: Sample) -> Uint8:
        """The mask, (H, W) uint8, a read-only view: class indices with IGNORE_INDEX, or bits of classes."""
        size = sample.height * sample.width
        flat = self._masks[sample.mask_offset : sample.mask_offset + size]
        return flat.reshape(sample.height, sample.width)


def _write(file: BinaryIO, at: int, pixels: Uint8) -> None:
    """Write contiguous pixels at a byte of a file, whatever other processes write elsewhere in it."""
    rest = pixels.reshape(-1).data
    while rest:
        written = os.pwrite(file.fileno(), rest, at)
        rest, at = rest[written:], at + written
