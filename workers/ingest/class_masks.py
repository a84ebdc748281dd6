"""Masks of which each shows one class: found by their names, and painted into one.

They lie in a folder per class, `masks/cat/0.png` for `images/0.jpg`; have the class behind the image's name,
`masks/0_cat.png`; or lie in a folder of the image's own, `0/masks/cat.png`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.decode import DecodedImage
from workers.ingest.formats.base import Read
from workers.ingest.layout import Picture
from workers.ingest.masks import HALF, decode_mask, fit_mask
from workers.ingest.problems import Refused
from workers.prepared import IGNORE_INDEX, MAX_OVERLAPPING, Uint8

BACKGROUND = "background"
OBJECT = "object"
"""The class of masks that show one object each, of which nothing else is known."""

Named = tuple[str, Member]
"""The name of a class, and the mask that shows it."""


@dataclass(frozen=True, kw_only=True)
class BitFieldsTruth:
    """The masks of one image, each with the value of its class, 1 to MAX_OVERLAPPING; they may overlap."""

    file: str
    masks: tuple[tuple[int, Member], ...]

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`: bit c is set where the pixel has the value c + 1."""
        merged = np.zeros(image.pixels.shape[:2], np.uint8)
        for value, member in self.masks:
            merged |= _inside(read, member, image) * np.uint8(1 << value - 1)
        return merged


@dataclass(frozen=True, kw_only=True)
class ExclusiveTruth:
    """The masks of one image, each with the value of its class; pixels that are in none are 0."""

    file: str
    masks: tuple[tuple[int, Member], ...]

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`. Raises Refused where a pixel is in two masks."""
        merged = np.zeros(image.pixels.shape[:2], np.uint8)
        for value, member in self.masks:
            inside = _inside(read, member, image)
            both = np.unique(merged[inside & (merged > 0)])
            if both.size:
                other = next(other.path for number, other in self.masks if number == both[0])
                raise Refused(
                    "multilabel_overlap",
                    f"{np.count_nonzero(inside & (merged > 0))} pixels are in {other} and in {member.path}; "
                    f"classes may overlap in sets of at most {MAX_OVERLAPPING} classes.",
                    f"Draw the classes without overlap, or send masks of at most {MAX_OVERLAPPING} classes.",
                )
            merged[inside] = value
        return merged


def by_class(images: Sequence[Picture], masks: Sequence[Picture]) -> dict[str, list[Named]] | None:
    """The masks of each image, by the image's path; None where they are not of one class each.

    They are where each mask is named by a class, none by an image alone, and some image has several.
    """
    owners = {(image.split, image.group, image.stem): image for image in images}
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for mask in masks:
        if (mask.split, mask.group, mask.stem) in owners or (
            mask.split,
            mask.group,
            mask.bare_stem,
        ) in owners:
            return None
        owned = _by_folder(mask, owners) or _by_suffix(mask, owners)
        if owned is None:
            return None
        image, name = owned
        found[image.member.path].append((name, mask.member))
    several = any(len(named) > 1 for named in found.values())
    distinct = all(len({name for name, _ in named}) == len(named) for named in found.values())
    return dict(found) if several and distinct else None


def in_own_folders(images: Sequence[Picture], masks: Sequence[Picture]) -> dict[str, list[Named]] | None:
    """The masks of each image, by the image's path, where each image has a folder of its own and all masks in
    it: `1/images/a.png`, `1/masks/liver.png`, `1/masks/spleen.png`. None where that is not so.

    Names that come again show classes; others, and numbers, show one object each.
    """
    owners = {(image.split, image.group): image for image in images}
    names = {mask.stem.casefold() for mask in masks}
    come_again = 2 * len(names) <= len(masks) and not any(name.isdecimal() for name in names)
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for mask in masks:
        owner = owners.get((mask.split, mask.group))
        if owner is None:
            return None
        found[owner.member.path].append((mask.stem if come_again else OBJECT, mask.member))
    several = any(len(named) > 1 for named in found.values())
    return dict(found) if several and len(owners) == len(images) else None


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


def _inside(read: Read, member: Member, image: DecodedImage) -> NDArray[np.bool_]:
    """Where a mask shows its class, (H, W)."""
    shown = fit_mask(decode_mask(read(member), image=image), image)
    inside: NDArray[np.bool_] = shown > 0 if shown.max() < HALF else shown >= HALF
    return inside


_Owners = dict[tuple[str | None, tuple[str, ...], str], Picture]


def _by_folder(mask: Picture, owners: _Owners) -> tuple[Picture, str] | None:
    if not mask.group:
        return None
    *above, name = mask.group
    owner = owners.get((mask.split, tuple(above), mask.stem))
    return None if owner is None else (owner, name)


def _by_suffix(mask: Picture, owners: _Owners) -> tuple[Picture, str] | None:
    cut = mask.stem.rfind("_")
    while cut > 0:
        owner = owners.get((mask.split, mask.group, mask.stem[:cut]))
        if owner is not None and cut + 1 < len(mask.stem):
            return owner, mask.stem[cut + 1 :]
        cut = mask.stem.rfind("_", 0, cut)
    return None
