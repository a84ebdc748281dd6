"""Tells folders that have labels of their own, `labels/material/` and `labels/damage/`, from folders of one
class each: their masks have several values, which would be lost if a folder were a class."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.survey import spread
from workers.ingest.pairing.choice.several_masks import Several
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.pictures.mask_files import HALF, decode_mask
from workers.ingest.problems import Refused

_LOOKED_AT = 8
"""Masks of each label that are looked at."""
_CLEAR = 0.005
"""A value of this share of a mask is no noise and no smoothed edge."""
_MOST_LABELS = 8


def label_sets(several: Several, images: Mapping[str, Picture], read: Read) -> list[list[Couple]]:
    """The images and masks of each label, if masks of one label have several values; else none."""
    sets: defaultdict[str, list[Couple]] = defaultdict(list)
    for path, labelled in several.masks.items():
        for one in labelled:
            sets[one.label.casefold()].append((images[path], one.mask))
    if not 2 <= len(sets) <= _MOST_LABELS or any(len(couples) < 2 for couples in sets.values()):
        return []
    has_values = any(
        _has_values(mask.member, read) for couples in sets.values() for _, mask in spread(couples, _LOOKED_AT)
    )
    return list(sets.values()) if has_values else []


def _has_values(mask: Member, read: Read) -> bool:
    """Whether a mask has several values beside 0: all that occur of ids, the clear ones of greys."""
    try:
        values, counts = np.unique(decode_mask(read(mask)), return_counts=True)
    except Refused:
        return False
    least = _CLEAR * counts.sum() if values.max() >= HALF else 1
    return int(((values > 0) & (counts >= least)).sum()) > 1
