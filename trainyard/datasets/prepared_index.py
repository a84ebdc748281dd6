"""index.json of a prepared version: what is in it and where, for the API and for workers alike."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trainyard.datasets.record import MASKS, Kind, Task
from trainyard.decoding import decoder
from trainyard.storage.json_files import SCHEMA, read_json, write_text

IGNORE_INDEX = 255
"""The value of a mask pixel that belongs to no class; class indices of pixels are below it."""
INDEX_FILE = "index.json"

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class PreparedClass:
    """A class as training sees it; `index` is its value or its bit in a mask or a label, `color` RGB."""

    index: int
    name: str
    value: int
    color: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image with its mask or labels; sizes are pixels, offsets bytes into images.bin and, for each of a
    mask's planes, into the file of masks.

    `split` is train, val, test or unused. `fold` is the number, from 0, of the fold in which it validates,
    None where it has none. `classes` are the indices of the classes in the mask, or of the image's labels or
    objects where there are no masks, ascending. Samples of one `digest` are copies of one image; it is empty
    where that is not known. Its `objects` lie in objects.bin from the record `first_object` on.
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
    first_object: int = 0
    objects: int = 0


@dataclass(frozen=True, kw_only=True)
class DepthScale:
    """How images of more than 8 bits became 8: those of one `kind` of number (`uint16`, `float32` and so on).

    `channels` has one pair for grey and three for colours: the values that became 0 and 255.
    """

    kind: str
    channels: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class VersionIndex:
    """The whole file; `mean` and `std` are of RGB in 0 to 1, `kinds` those of the annotations.

    There is a file of masks where `masks` are among them; pixels of a multilabel set have a bit for each
    class, in `mask_planes` bytes. Of `labels`, each sample of a multiclass set has one of the classes, of a
    multilabel set any number. With `boxes` there is an objects.bin, and `object_classes`
    are those that its objects name, from 0: `classes` without a background. With `outlines`, too, there is
    an outlines.bin, and each object has its own.

    `depth` has a scale for each kind of image of more than 8 bits; it is None in files of before it was kept.
    """

    content_hash: str
    task: Task = "multiclass"
    kinds: tuple[Kind, ...] = MASKS
    mask_planes: int = 1
    classes: Sequence[PreparedClass]
    object_classes: Sequence[PreparedClass] = ()
    mean: Triple
    std: Triple
    samples: Sequence[Sample]
    depth: tuple[DepthScale, ...] | None = None

    @property
    def mask_file(self) -> str:
        """The name of the file of masks. Of several planes it is one that earlier releases look for in vain,
        rather than take for what they know."""
        return mask_file(self.mask_planes)


def mask_file(planes: int) -> str:
    """The file with masks of so many planes."""
    return "masks.bin" if planes == 1 else "mask_planes.bin"


_decode = decoder(VersionIndex)


def read_index(folder: Path) -> VersionIndex:
    """The index of a prepared version; raises StorageUnavailable, NewerFormat and Unreadable."""
    return _decode(read_json(folder / INDEX_FILE))


def write_index(folder: Path, index: VersionIndex) -> None:
    """Write it, whole or not at all, on one line: it may have 100,000 samples. Raises StorageUnavailable."""
    content = {
        "schema": SCHEMA,
        **vars(index),
        "classes": [asdict(info) for info in index.classes],
        "object_classes": [asdict(info) for info in index.object_classes],
        "samples": [vars(sample) for sample in index.samples],
        "depth": None if index.depth is None else [asdict(scale) for scale in index.depth],
    }
    write_text(folder / INDEX_FILE, json.dumps(content, ensure_ascii=False))
