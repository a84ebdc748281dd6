"""The form that ingest writes once and training maps into memory.

    prepared/images.bin   uint8 RGB, height x width x 3 of each sample, one after the other
    prepared/masks.bin    uint8, height x width of each sample: class index, 255 where ignored
    prepared/index.json   classes, channel statistics, and where each sample lies

Workers on one machine that map the same files share one copy in the page cache.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trainyard.storage import read_json, write_json

IGNORE_INDEX = 255
"""The value of a mask pixel that belongs to no class; class indices are below it."""

Uint8 = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class PreparedClass:
    """A class as training sees it; `index` is its value in masks.bin, `color` RGB."""

    index: int
    name: str
    value: int
    color: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image with its mask; offsets are bytes into images.bin and masks.bin, sizes pixels."""

    name: str
    split: str
    height: int
    width: int
    image_offset: int
    mask_offset: int


class PreparedWriter:
    """Appends samples to a new prepared folder; `close` writes the index, without which there is no set."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._images: BinaryIO = (folder / "images.bin").open("wb")
        self._masks: BinaryIO = (folder / "masks.bin").open("wb")
        self._samples: list[Sample] = []

    def __enter__(self) -> "PreparedWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._images.close()  # writes what is buffered, and fails on a full disk
        finally:
            self._masks.close()

    def append(self, name: str, image: Uint8, mask: Uint8) -> None:
        """Add an image, (H, W, 3) RGB, and its mask, (H, W), of class indices or of what becomes them."""
        height, width = mask.shape
        if image.shape != (height, width, 3) or image.dtype != np.uint8 or mask.dtype != np.uint8:
            raise ValueError(f"{name}: image {image.shape} {image.dtype}, mask {mask.shape} {mask.dtype}")
        self._samples.append(
            Sample(
                name=name,
                split="",
                height=height,
                width=width,
                image_offset=self._images.tell(),
                mask_offset=self._masks.tell(),
            )
        )
        self._images.write(np.ascontiguousarray(image).data)
        self._masks.write(np.ascontiguousarray(mask).data)

    def recode_masks(self, table: bytes) -> Iterator[tuple[str, bytes]]:
        """Replace each value v of the masks written so far by `table[v]` (256 bytes), in place.

        Yields each sample's name and recoded mask. For class values that are known only after the last mask.
        """
        self._masks.flush()
        with (self._folder / "masks.bin").open("r+b") as file:
            for sample in self._samples:
                file.seek(sample.mask_offset)
                recoded = file.read(sample.height * sample.width).translate(table)
                file.seek(sample.mask_offset)
                file.write(recoded)
                yield sample.name, recoded

    def finish(
        self,
        splits: Mapping[str, str],
        classes: list[PreparedClass],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        content_hash: str,
    ) -> None:
        """Write the index; `splits` maps a sample's name to its split; statistics are of RGB in 0 to 1."""
        samples = [{**asdict(sample), "split": splits[sample.name]} for sample in self._samples]
        for file in (self._images, self._masks):
            file.flush()
            os.fsync(file.fileno())
        index: dict[str, Any] = {
            "content_hash": content_hash,
            "classes": [asdict(info) for info in classes],
            "mean": mean,
            "std": std,
            "samples": samples,
        }
        write_json(self._folder / "index.json", index)


class PreparedDataset:
    """A prepared folder, mapped read-only. Safe to pickle to a loader process, which maps it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        index = read_json(folder / "index.json")
        self.content_hash: str = index["content_hash"]
        self.classes = [PreparedClass(**{**c, "color": tuple(c["color"])}) for c in index["classes"]]
        self.mean: tuple[float, float, float] = tuple(index["mean"])
        self.std: tuple[float, float, float] = tuple(index["std"])
        self.samples = [Sample(**sample) for sample in index["samples"]]
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
        """The mask of class indices, (H, W) uint8 with IGNORE_INDEX, a read-only view."""
        size = sample.height * sample.width
        flat = self._masks[sample.mask_offset : sample.mask_offset + size]
        return flat.reshape(sample.height, sample.width)
