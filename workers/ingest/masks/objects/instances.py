"""The objects that mask pictures tell apart: by ids in one of them, or by a file for each object."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.items import ImageObjects, Read, Truth
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.mask_files import color_codes, colored_pixels, decode_ids, decode_mask
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.problems import Refused
from workers.ingest.raster.shrink import Size
from workers.prepared.run_lengths import compressed, runs_of_part
from workers.prepared.version import Objects, Uint8

_MAIN_PIECE = 0.95
_NEARLY_ALL = 0.95

Plane = NDArray[Any]
"""A number for each pixel, (H, W), 0 where there is no object."""


@dataclass(frozen=True, kw_only=True)
class InstancesTruth:
    """What `rasterized` shows, and the objects in it that `planes` tell apart: each id of a picture is
    one, or
    each picture. Their classes are the values that most of their pixels have in what is rasterized."""

    rasterized: Truth
    planes: tuple[Member, ...]
    each: Literal["id", "picture"] = "id"
    resample: bool = False

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.rasterized.file

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        return self.rasterized.rasterize(read, image)

    def boxes(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.boxes`."""
        return self.instances(read, image, size)[1]

    def outlines(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.outlines`."""
        return self.instances(read, image, size)[1]

    def instances(self, read: Read, image: DecodedImage, size: Size) -> tuple[Uint8, ImageObjects]:
        """See `ObjectsTruth.instances`."""
        mask = self.rasterize(read, image)
        values = resized(mask, size)
        found = [objects_of(self._plane(read, one, image, size), values) for one in self.planes]
        return mask, _joined(found)

    def _plane(self, read: Read, member: Member, image: DecodedImage, size: Size) -> Plane:
        own = None if self.resample else image
        data = read(member)
        plane = _numbered(_ids(data, own) if self.each == "id" else decode_mask(data, image=own) > 0)
        return resized(fit_mask(plane, image, resample=self.resample), size)


def objects_of(plane: Plane, values: Uint8) -> ImageObjects:
    """The objects of a plane on an image as prepared, of which `values` is the mask, of the same size.

    Those of which most pixels are 0, the background, are none.
    """
    found = []
    for _, top, left, inside in _parts(plane):
        under = values[top : top + inside.shape[0], left : left + inside.shape[1]][inside]
        found.append((int(np.bincount(under).argmax()), False, top, left, inside))
    return _objects(found, plane.shape)


def numbered_objects(plane: Plane, labels: Sequence[int], crowds: Sequence[bool]) -> ImageObjects:
    """As `objects_of`; the class of the object of the number n, and whether it is a crowd, come at n - 1."""
    found = [
        (labels[number - 1], crowds[number - 1], top, left, inside)
        for number, top, left, inside in _parts(plane)
    ]
    return _objects(found, plane.shape)


def _objects(
    found: Iterable[tuple[int, bool, int, int, NDArray[np.bool_]]], shape: tuple[int, ...]
) -> ImageObjects:
    """Objects of a class, crowds or not, at a row and column, with their pixels there."""
    kept = [one for one in found if one[0] != 0]
    boxes = [(left, top, left + inside.shape[1], top + inside.shape[0]) for _, _, top, left, inside in kept]
    return ImageObjects(
        objects=Objects(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array([value for value, *_ in kept], np.int64),
            np.array([crowd for _, crowd, *_ in kept], np.bool_),
        ),
        outlines=tuple(
            compressed(runs_of_part(inside, top, left, shape[0], shape[1]))
            for _, _, top, left, inside in kept
        ),
        lost=0,
        notes=(),
    )


def _parts(plane: Plane) -> Iterator[tuple[int, int, int, NDArray[np.bool_]]]:
    """Each number but 0, ascending, with the top and left of its pixels, and these within their box."""
    rows, columns = np.nonzero(plane)
    if not rows.size:
        return
    numbers = plane[rows, columns]
    order = np.argsort(numbers, kind="stable")
    numbers, rows, columns = numbers[order], rows[order], columns[order]
    starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
    sides = [side.reduceat(one, starts) for one in (rows, columns) for side in (np.minimum, np.maximum)]
    for number, top, bottom, left, right in np.stack([numbers[starts], *sides], axis=1).tolist():
        yield number, top, left, plane[top : bottom + 1, left : right + 1] == number


def _joined(found: list[ImageObjects]) -> ImageObjects:
    """The objects of several planes of one image."""
    if len(found) == 1:
        return found[0]
    empty = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    all_of_them = [one.objects for one in found] or [empty]
    return ImageObjects(
        objects=Objects(
            np.concatenate([one.boxes for one in all_of_them]),
            np.concatenate([one.classes for one in all_of_them]),
            np.concatenate([one.crowd for one in all_of_them]),
        ),
        outlines=tuple(outline for one in found for outline in one.outlines),
        lost=0,
        notes=(),
    )


def _ids(data: bytes, image: DecodedImage | None) -> Plane:
    """The ids of a picture, also of one of colours, of which each is an id and black is none."""
    try:
        return decode_ids(data, image)
    except Refused as refusal:
        if refusal.problem_code != "mask_color":
            raise
        return color_codes(colored_pixels(data, image)).astype(np.int64)


def _numbered(plane: Plane) -> NDArray[np.uint16]:
    """The ids of one picture counted from 1 on, what is no object being 0. Raises Refused."""
    found, places = np.unique(np.maximum(plane.astype(np.int64), 0), return_inverse=True)
    first = 0 if found[0] == 0 else 1
    if len(found) + first > np.iinfo(np.uint16).max:
        raise Refused(
            "objects_too_many",
            f"The mask has {len(found)} different ids; at most {np.iinfo(np.uint16).max} are told apart.",
            "Send ids of objects, or tell by `objects: classes` that values are classes.",
        )
    return (places.reshape(plane.shape) + first).astype(np.uint16)


def resized(mask: Plane, size: Size) -> Plane:
    """A plane, or mask, at another size, each pixel taking the number of the nearest."""
    if (mask.shape[1], mask.shape[0]) == size:
        return mask
    return np.asarray(cv2.resize(np.ascontiguousarray(mask), size, interpolation=cv2.INTER_NEAREST_EXACT))


def show_one_object(planes: list[Plane]) -> bool:
    """Whether nearly each of some pictures shows one piece, as pictures of single objects do."""
    counts: Counter[bool] = Counter()
    for plane in planes:
        inside = (plane > 0).astype(np.uint8)
        if inside.any():
            _, _, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
            areas = stats[1:, cv2.CC_STAT_AREA]
            counts[bool(areas.max() >= _MAIN_PIECE * areas.sum())] += 1
    return counts[True] >= _NEARLY_ALL * max(counts.total(), 1)
