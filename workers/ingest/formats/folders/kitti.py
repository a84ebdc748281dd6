"""Reads KITTI's semantic segmentation: `training/image_2/` with masks in `semantic/` or `instance/`.

Format: cvlibs.net/datasets/kitti, "Semantic Segmentation Evaluation": labels are those of Cityscapes, and an
instance id is 256 times the label and a number. As there, the 19 classes of the benchmark are read, all else
is ignored.
"""

from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.image_lookup import report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.formats.folders.cityscapes import LabelIdTruth
from workers.ingest.formats.folders.cityscapes_labels import COLORS, LABEL_IDS, NAMES
from workers.ingest.formats.folders.leftovers import report_without_mask, without_image
from workers.ingest.items import FoundSet, Source
from workers.ingest.pairing.names.renumbered_masks import renumbered_members
from workers.ingest.problems import ProblemLog
from workers.ingest.regions.masks import IGNORED
from workers.prepared.version import Uint8

_IMAGES, _LABELS, _INSTANCES = "image_2", "semantic", "instance"
_PER_LABEL_BITS = 8


class InstanceTruth(LabelIdTruth):
    """A mask of KITTI's instance ids, read as train ids."""

    def _train_ids(self, ids: NDArray[np.integer[Any]]) -> Uint8:
        table: Uint8 = np.full(1 << _PER_LABEL_BITS, IGNORED, np.uint8)
        table[list(LABEL_IDS)] = np.arange(len(LABEL_IDS))
        read: Uint8 = table[ids >> _PER_LABEL_BITS]
        return read


class Kitti:
    """See `Format`."""

    name = "kitti"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: folders image_2 and semantic or instance beside each other."""
        places = {_place(member)[0] for member in _in(source, _LABELS, _INSTANCES)}
        return any(_place(member)[0] in places for member in _in(source, _IMAGES))

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        images, truths = _in(source, _IMAGES), _truths(source)
        masks = {place: truth.member for place, truth in truths.items()}
        couples = [(image, masks[_place(image)]) for image in images if _place(image) in masks]
        couples = renumbered_members(couples, images, list(masks.values()), source, options, log)
        found = [Located(image=image, truth=truths[_place(mask)]) for image, mask in couples]
        report_without_mask(images, couples, log)
        lost = without_image(masks.values(), couples)
        report_missing([(one.path, _place(one)[1]) for one in lost], len(found), log)
        if not found and not log.has_errors:
            log.error(
                "no_pairs",
                None,
                "No image in image_2/ has a mask of its name in semantic/ or instance/.",
                "Send these folders together.",
            )
        if log.has_errors:
            return None
        return FoundSet(
            items=named_items(found),
            names=dict(enumerate(NAMES)),
            colors=dict(enumerate(COLORS)),
            ignore_value=IGNORED,
            pairs="masks by the names of their images in image_2/",
            classes="the 19 classes of Cityscapes' benchmark",
        )


def _truths(source: Source) -> dict[tuple[str, str], LabelIdTruth]:
    """The truth of each place, labels before instances."""
    instances = {_place(one): InstanceTruth(member=one) for one in _in(source, _INSTANCES)}
    return {**instances, **{_place(one): LabelIdTruth(member=one) for one in _in(source, _LABELS)}}


def _place(member: Member) -> tuple[str, str]:
    """The folder above that of the role, and the file's name: what an image and its masks share."""
    path = PurePosixPath(member.path)
    return str(path.parent.parent), path.stem.casefold()


def _in(source: Source, *folders: str) -> list[Member]:
    return [
        member
        for member in source.members
        if member.folder in folders and member.path.casefold().endswith(".png")
    ]
