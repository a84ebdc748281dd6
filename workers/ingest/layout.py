"""Tells images from masks, and splits apart, by the names of folders and files.

A folder gives its files a role where every word of its name is known (words are parted by `_`, `-` or a
space; case does not count): `masks/`, `train_masks/`. The words are in IMAGE_FOLDERS and MASK_FOLDERS; the
innermost folder wins. Which folders name a split is told by `split_words`. Other folders are part of a file's
identity: `day1/images/a.jpg` belongs to `day1/masks/a.png` only. Without a folder of masks, a file is a mask
by the ending of its name (MASK_SUFFIXES), or by being the one PNG beside an image of the same name.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from workers.ingest.archive import Member
from workers.ingest.split_words import SplitFolders, split_name

IMAGE_FOLDERS = frozenset(
    (
        "image", "images", "img", "imgs", "jpegimages", "photo", "photos", "picture", "pictures", "rgb",
        "input", "inputs", "rgbleft", "rgbright",
    )
)  # fmt: skip
MASK_FOLDERS = frozenset(
    (
        "mask", "masks", "annotation", "annotations", "annot", "annots", "label", "labels", "trimap",
        "trimaps", "segmentation", "segmentations", "segmentationclass", "groundtruth", "gt", "target",
        "targets", "semseg", "semantic", "gtleft", "gtright",
    )
)  # fmt: skip
MASK_SUFFIXES = ("_mask", "_masks", "_annotation", "_annotations", "_label", "_labels", "_gt")
IMAGE_SUFFIXES = ("_image", "_img")
PREFIXES = ("image_", "img_", "mask_", "label_", "gt_")
"""What names in folders of images and of masks may begin with."""

PICTURES = frozenset(
    (
        ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".pbm",
        ".pnm", ".jp2", ".avif", ".heic", ".heif",
    )
)  # fmt: skip
"""Endings of files that are looked at; what they really are is found out when they are read."""
_YEAR = re.compile(r"\d{4}\Z")


class Role(StrEnum):
    IMAGE = "image"
    MASK = "mask"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture file: what its folders say of it, and the parts of its name by which it finds its partner.

    `group` holds the folders that name neither role nor split; `stem` is the file's name without ending.
    """

    member: Member
    role: Role | None
    split: str | None
    group: tuple[str, ...]
    stem: str

    @property
    def bare_stem(self) -> str:
        """The stem in lower case without what marks an image or a mask."""
        stem = self.stem.casefold()
        for suffix in (*MASK_SUFFIXES, *IMAGE_SUFFIXES):
            stem = stem.removesuffix(suffix)
        for prefix in PREFIXES:
            stem = stem.removeprefix(prefix)
        return stem or self.stem.casefold()


def pictures(members: Iterable[Member]) -> list[Picture]:
    """The picture files among the members, as their folders describe them."""
    found = [m for m in members if posixpath.splitext(m.path)[1].lower() in PICTURES]
    splits = SplitFolders(member.path for member in found)
    meanings = {folder: _meaning(folder, splits) for folder in {posixpath.dirname(m.path) for m in found}}
    return [_picture(member, meanings) for member in found]


def by_role(found: list[Picture]) -> tuple[list[Picture], list[Picture], list[Picture]]:
    """The images, the masks, and the pictures that lie outside the folders of either."""
    if not any(picture.role is Role.MASK for picture in found):
        found = _masks_by_suffix(found)
    if not any(picture.role is Role.MASK for picture in found):
        found = _masks_beside_images(found)
    images = [picture for picture in found if picture.role is Role.IMAGE]
    masks = [picture for picture in found if picture.role is Role.MASK]
    others = [picture for picture in found if picture.role is None]
    return (images, masks, others) if images else (others, masks, [])


def without(pictures: list[Picture], taken: Iterable[Picture]) -> list[Picture]:
    """The other pictures."""
    known = {id(picture) for picture in taken}
    return [picture for picture in pictures if id(picture) not in known]


_Meaning = tuple[Role | None, str | None, tuple[str, ...]]
"""The role and the split that the folders of a path give, and the folders that give neither."""


def _picture(member: Member, meanings: Mapping[str, _Meaning]) -> Picture:
    folder, name = posixpath.split(member.path)
    role, split, group = meanings[folder]
    return Picture(member=member, role=role, split=split, group=group, stem=posixpath.splitext(name)[0])


def _meaning(path: str, splits: SplitFolders) -> _Meaning:
    role = None
    group = []
    telling = splits.depths(path)
    for depth, folder in enumerate(path.split("/") if path else ()):
        words = _words(folder)
        if all(word in IMAGE_FOLDERS or word in MASK_FOLDERS for word in words):
            for word in words:
                role = Role.MASK if word in MASK_FOLDERS else Role.IMAGE
            if words or depth in telling:
                continue
        group.append(folder)
    return role, splits.of(f"{path}/"), tuple(group)


def _words(folder: str) -> list[str]:
    """The words of a folder's name but those that name a split."""
    named = split_name(folder)
    if named is not None:
        return list(named.rest)
    return re.split(r"[\s_-]+", _YEAR.sub("", folder.casefold().strip()))


def _masks_by_suffix(found: list[Picture]) -> list[Picture]:
    return [replace(p, role=Role.MASK) if p.stem.casefold().endswith(MASK_SUFFIXES) else p for p in found]


def _masks_beside_images(found: list[Picture]) -> list[Picture]:
    """Where two files share folder and stem and one alone is a PNG, that one is the mask."""
    twins: defaultdict[str, list[Picture]] = defaultdict(list)
    for picture in found:
        twins[posixpath.splitext(picture.member.path)[0]].append(picture)
    masks = set()
    for pair in twins.values():
        pngs = [p.member.path for p in pair if p.member.path.lower().endswith(".png")]
        if len(pair) == 2 and len(pngs) == 1:
            masks.add(pngs[0])
    return [replace(p, role=Role.MASK) if p.member.path in masks else p for p in found]
