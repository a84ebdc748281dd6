"""Looks for ids of objects in masks that cannot be rasterized as classes: of 16 bits, or a colour per
object."""

from collections.abc import Collection, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.objects.object_ids import Sureness, share_of_one_piece, sureness
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.decode import load, rgb_pixels
from workers.ingest.pictures.mask_files import color_codes, decode_ids
from workers.ingest.problems import Refused

_LOOKED_AT = 64
"""Masks of more than 8 bits that are decoded to know what their values are."""

_LARGEST_CLASS = 255


def deep_objects(masks: Sequence[Member], read: Read, plain: int) -> Sureness | None:
    """How sure it is that masks of more than 8 bits have ids of objects; None also where they may be classes,
    since no value is above 255. For `plain` see `sureness`."""
    looked_at: list[Member] = []
    found: list[Mapping[int, int]] = []
    for member in spread(masks, _LOOKED_AT):
        try:
            values, counts = np.unique(decode_ids(read(member)), return_counts=True)
        except Refused:
            continue
        looked_at.append(member)
        found.append({int(v): int(n) for v, n in zip(values, counts, strict=True) if v >= 0})
    if max((value for values in found for value in values), default=0) <= _LARGEST_CLASS:
        return None

    def pieces(numbers: Collection[int]) -> float:
        return share_of_one_piece(decode_ids(read(looked_at[number])) for number in numbers)

    return sureness(found, pieces, plain=plain)


def colored_objects(
    masks: Sequence[Member], counts: Sequence[Mapping[int, int]], read: Read, background: int
) -> Sureness | None:
    """How sure it is that each colour of these masks, with their `counts` of pixels by colour code, is an
    object on the colour `background`."""

    def pieces(numbers: Collection[int]) -> float:
        drawn = (_codes(masks[number], read) for number in numbers)
        return share_of_one_piece((codes for codes in drawn if codes is not None), background)

    return sureness(counts, pieces, background=background)


def _codes(mask: Member, read: Read) -> NDArray[np.int64] | None:
    """The colours of a mask, (H, W), as numbers; None where it cannot be read whole."""
    try:
        return color_codes(rgb_pixels(load(read(mask), cv2.IMREAD_COLOR_RGB))).astype(np.int64)
    except Refused:
        return None
