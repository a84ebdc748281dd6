"""The masks of a VOC set: those in SegmentationClass/, or one of several label sets in folders of it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Read, Source
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.mask_files import decode_mask
from workers.ingest.problems import Offer, ProblemLog, Refused

MASKS = "segmentationclass"
_ENDINGS = (".png", ".gif", ".bmp", ".tif", ".tiff")
_LOOKED_AT = 4


def mask_files(source: Source, log: ProblemLog) -> list[Member]:
    """The masks; where folders in SegmentationClass/ each have their own of the same images, it is asked
    which. None where there are none."""
    masks = [member for member in source.members if member.path.casefold().endswith(_ENDINGS)]
    direct = [member for member in masks if member.folder == MASKS]
    if direct:
        return direct
    sets: defaultdict[str, list[Member]] = defaultdict(list)
    for member in masks:
        parts = PurePosixPath(member.path).parts
        if len(parts) > 2 and parts[-3].casefold() == MASKS:
            sets[parts[-2]].append(member)
    count = Counter(PurePosixPath(member.path).stem for found in sets.values() for member in found)
    if len(sets) < 2 or max(count.values()) == 1:
        return [member for found in sets.values() for member in found]
    return sets[_ask(sets, source.read, log)]


def _ask(sets: Mapping[str, Sequence[Member]], read: Read, log: ProblemLog) -> str:
    """Ask which of the sets of masks is meant; returns its name."""
    names = sorted(sets, key=lambda name: (-len(sets[name]), name))
    offers = [
        Offer(
            key=name,
            text=f"The masks are those in SegmentationClass/{name}, whose values are classes.",
            count=len(sets[name]),
            options={"masks": f"SegmentationClass/{name}/*"},
            examples=[member.path for member in sets[name]],
        )
        for name in names
    ]
    if all(_shows_one_class(found, read) for found in sets.values()):
        offers.append(
            Offer(
                key="_each_a_class",
                text=f"Each folder shows one class of its name: {', '.join(names)}.",
                count=sum(map(len, sets.values())),
                options={"class_masks": {name: f"SegmentationClass/{name}/*" for name in names}},
            )
        )
    return log.ask(
        "label_sets",
        f"SegmentationClass has {len(names)} folders with masks of the same images, {', '.join(names[:10])}: "
        "which are to be trained on?",
        offers,
    )


def _shows_one_class(masks: Sequence[Member], read: Read) -> bool:
    values: set[int] = set()
    for member in spread(masks, _LOOKED_AT):
        try:
            values |= set(np.unique(decode_mask(read(member))).tolist())
        except Refused:
            return False
    return len(values - {0}) <= 1
