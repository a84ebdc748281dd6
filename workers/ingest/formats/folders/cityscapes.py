"""Reads Cityscapes: `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png` with masks in `gtFine/` or `gtCoarse/`.

Of the masks of an image the first kind that is there is read: labelTrainIds, labelIds, instanceIds, color.
All give the 19 classes that the benchmark trains; everything else is ignored.
"""

import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.image_lookup import report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.formats.folders.cityscapes_labels import COLOR_TABLE, COLORS, LABEL_IDS, NAMES
from workers.ingest.formats.folders.leftovers import report_without_mask, without_image
from workers.ingest.items import FoundSet, Read, Source, Truth
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pairing.names.renumbered_masks import renumbered_members
from workers.ingest.pictures.decode import DecodedImage, load
from workers.ingest.pictures.mask_files import check_mask_size
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED
from workers.prepared.version import Uint8

_IMAGE = "_leftimg8bit"
_KINDS = ("labeltrainids", "labelids", "instanceids", "color")
_HIGHEST = 0xFFFF  # of ids
_LAST_LABEL = 33
_PER_CLASS = 1000  # instance ids are label id * 1000 + a number, or the label id alone


_Folders = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LabelIdTruth:
    """A mask of label ids or instance ids, read as train ids."""

    member: Member

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.member.path

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        data = read(self.member)
        check_mask_size(data, image)
        return fit_mask(self._train_ids(decode_ids(data)), image)

    def _train_ids(self, ids: NDArray[np.integer[Any]]) -> Uint8:
        foreign = ids[(ids > _LAST_LABEL) & (ids < _PER_CLASS) & (ids != IGNORED)]
        if foreign.size:
            raise Refused(
                "mask_ids",
                f"The mask has the id {foreign[0]}; Cityscapes' end with {_LAST_LABEL}.",
                "Send the set with `format: pictures`, and name the classes of its ids as `classes`.",
            )
        table: Uint8 = np.full(_HIGHEST + 1, IGNORED, np.uint8)
        for value, label in enumerate(LABEL_IDS):
            table[label] = value
            table[label * _PER_CLASS : (label + 1) * _PER_CLASS] = value
        read: Uint8 = table[ids]
        return read


class Cityscapes:
    """See `Format`."""

    name = "cityscapes"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: an image and a mask by Cityscapes' endings."""
        stems = [_stem(member) for member in source.members]
        return any(stem.endswith(_IMAGE) for stem in stems) and any(_kind(stem) for stem in stems)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        masks = _masks(source)
        images = [member for member in source.members if _stem(member).endswith(_IMAGE)]
        couples = _couples(images, masks)
        own = [mask for of_place in masks.values() for mask in of_place]
        couples = renumbered_members(
            couples, images, own, source, options, log, called=lambda member: _place(_stem(member))
        )
        found = [Located(image=image, truth=_truth(mask)) for image, mask in couples]
        report_without_mask(images, couples, log)
        lost = without_image(own, couples)
        report_missing([(one.path, f"{_place(_stem(one))}_leftImg8bit") for one in lost], len(found), log)
        if not found and not log.has_errors:
            log.error(
                "no_pairs",
                None,
                "No image ..._leftImg8bit has a mask ..._gtFine_labelTrainIds or the like.",
                "Send the folders leftImg8bit and gtFine together.",
            )
        if log.has_errors:
            return None
        return FoundSet(
            items=named_items(found),
            names=dict(enumerate(NAMES)),
            colors=dict(enumerate(COLORS)),
            ignore_value=IGNORED,
            pairs="images and masks by city, sequence and frame",
            classes="the 19 classes of Cityscapes' benchmark",
        )


def decode_ids(data: bytes) -> NDArray[np.integer[Any]]:
    """The numbers of a mask as stored, (H, W), 0 to 65535; raises Refused where it has none."""
    loaded = load(data, cv2.IMREAD_UNCHANGED)
    ids = np.asarray(loaded.image) if loaded.fast is None else loaded.fast
    whole = ids.ndim == 2 and np.issubdtype(ids.dtype, np.integer)
    if not whole or ids.min() < 0 or ids.max() > _HIGHEST:
        raise Refused(
            "mask_ids",
            f"The mask is a picture of the kind {loaded.image.mode}, without ids from 0 to {_HIGHEST}.",
            "Save it as Cityscapes has it: one channel of 8 or 16 bits.",
        )
    return ids


def _stem(member: Member) -> str:
    stem, suffix = posixpath.splitext(posixpath.basename(member.path))
    return stem.casefold() if suffix.casefold() in (".png", ".jpg", ".jpeg") else ""


def _kind(stem: str) -> str | None:
    """Which kind of mask the file is, None for what is none."""
    _, _, kind = stem.rpartition("_")
    return kind if kind in _KINDS and ("_gtfine_" in stem or "_gtcoarse_" in stem) else None


def _place(stem: str) -> str:
    """City, sequence and frame: what an image and its masks share."""
    return stem.partition("_leftimg8bit")[0].partition("_gt")[0]


def _masks(source: Source) -> dict[str, list[Member]]:
    """The masks of each place, one for each part of the set: of the first kind in the order of _KINDS; fine
    ones before coarse ones."""
    ranked = []
    for member in source.members:
        kind = _kind(stem := _stem(member))
        if kind is not None:
            ranked.append((_KINDS.index(kind), "_gtcoarse_" in stem, member.path, _place(stem), member))
    found: defaultdict[str, dict[_Folders, Member]] = defaultdict(dict)
    for *_, place, member in sorted(ranked, key=lambda one: one[:3]):
        found[place].setdefault(_folders(member), member)
    return {place: list(of_place.values()) for place, of_place in found.items()}


def _couples(images: Sequence[Member], masks: Mapping[str, Sequence[Member]]) -> list[tuple[Member, Member]]:
    """Each image with the mask of its place whose folders are most like its own; no mask has two images:
    drives and splits may number their frames alike."""
    owners: dict[str, tuple[int, Member, Member]] = {}
    for image in images:
        of_place = masks.get(_place(_stem(image)), ())
        likeness = [_alike(_folders(image), _folders(mask)) for mask in of_place]
        if not likeness or likeness.count(max(likeness)) > 1:
            continue
        mask = of_place[likeness.index(max(likeness))]
        known = owners.get(mask.path)
        if known is None or known[0] < max(likeness):
            owners[mask.path] = (max(likeness), image, mask)
    return [(image, mask) for _, image, mask in owners.values()]


def _folders(member: Member) -> _Folders:
    """The folders of a file but for those that say what all in them are: `gtFine_trainvaltest`."""
    parts = posixpath.dirname(member.path).casefold().split("/")
    return tuple(part for part in parts if not part.startswith(("leftimg8bit", "gtfine", "gtcoarse")))


def _alike(one: _Folders, other: _Folders) -> int:
    """How many folders two paths share, from the start and from the end."""
    shared = 0
    for first, second in ((one, other), (one[::-1], other[::-1])):
        same = [a == b for a, b in zip(first, second, strict=False)]
        shared += same.index(False) if False in same else len(same)
    return shared


def _truth(mask: Member) -> Truth:
    kind = _kind(_stem(mask))
    if kind in ("labelids", "instanceids"):
        return LabelIdTruth(member=mask)
    return MaskTruth(member=mask, table=COLOR_TABLE if kind == "color" else None)
