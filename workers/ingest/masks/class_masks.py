"""Several masks of one image, rasterized into one: each shows a class, or a part of what one mask would
show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.items import Read, Truth
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.mask_files import HALF, decode_mask
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.problems import Refused
from workers.prepared.planes import BITS, shape_of
from workers.prepared.version import IGNORE_INDEX, Uint8

MOST_BYTES = 1 << 28
"""Of one image's mask while it is read."""
BACKGROUND = "background"
OBJECT = "object"
"""The class of masks that show one object each, of which nothing else is known."""

Named = tuple[str, Member]
"""The name of a class, and the mask that shows it."""


@dataclass(frozen=True, kw_only=True)
class BitFieldsTruth:
    """The masks of one image, each with the value of its class, from 1; they may overlap. A mask of the set
    has so many `planes`."""

    file: str
    masks: tuple[tuple[int, Member], ...]
    planes: int
    resample: bool = False

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`: bit c is set where the pixel has the value c + 1; (H, W) or (H, W, P)."""
        height, width = image.pixels.shape[:2]
        if height * width * self.planes > MOST_BYTES:
            raise Refused(
                "image_too_large",
                f"The masks of {width} x {height} pixels take {self.planes} bytes for each, more than "
                f"{MOST_BYTES >> 20} MB together.",
                "Have images made smaller (`max_side`), or send fewer classes.",
            )
        merged = np.zeros((height, width, self.planes), np.uint8)
        for value, member in self.masks:
            inside = _inside(read, member, image, resample=self.resample)
            merged[..., (value - 1) // BITS] |= inside * np.uint8(1 << (value - 1) % BITS)
        return merged.reshape(shape_of(height, width, self.planes))


@dataclass(frozen=True, kw_only=True)
class EmptyTruth:
    """An image without a mask, which is all background; `file` is the image's."""

    file: str

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        return np.zeros(image.pixels.shape[:2], np.uint8)


@dataclass(frozen=True, kw_only=True)
class UnionTruth:
    """The masks of one image, each with a part of what is to be seen; their values stay."""

    parts: Sequence[Truth]

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.parts[0].file

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`. Raises Refused where two masks have different values, none of them 0."""
        merged = np.zeros(image.pixels.shape[:2], np.uint8)
        for part in self.parts:
            mask = part.rasterize(read, image)
            differ = (merged > 0) & (mask > 0) & (merged != mask)
            if differ.any():
                count = np.count_nonzero(differ)
                raise Refused(
                    "several_masks_differ",
                    f"{count} pixels have one value in {self.file} and another in {part.file}.",
                    "Merge the masks of the image, or name one of them by the option `masks`.",
                )
            merged = np.maximum(merged, mask)
        return merged


def class_values(masks: dict[str, list[Named]]) -> dict[str, int]:
    """The value of each class by name, from 1; a mask of the background shows what is 0 anyway."""
    names = sorted({name for named in masks.values() for name, _ in named if name.casefold() != BACKGROUND})
    if len(names) >= IGNORE_INDEX:
        raise Refused(
            "too_many_classes",
            f"There are masks of {len(names)} classes; at most {IGNORE_INDEX - 1} can be told apart.",
            "Merge classes; or, if each mask shows one object, send one mask per image.",
        )
    return {name: value for value, name in enumerate(names, start=1)}


def _inside(read: Read, member: Member, image: DecodedImage, *, resample: bool) -> NDArray[np.bool_]:
    """Where a mask shows its class, (H, W); for `resample` see `fit_mask`."""
    values = decode_mask(read(member), image=None if resample else image)
    shown = fit_mask(values, image, resample=resample)
    inside: NDArray[np.bool_] = shown > 0 if shown.max() < HALF else shown >= HALF
    return inside
