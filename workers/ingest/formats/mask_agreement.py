"""Whether the masks of a set show what its annotations outline."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.items import Item, Labels, Read
from workers.ingest.masks.objects.object_ids import one_piece
from workers.ingest.masks.survey import spread
from workers.ingest.paths.words import stem_of
from workers.ingest.pictures.decode import decode_image, load, rgb_pixels
from workers.ingest.pictures.mask_files import color_codes
from workers.ingest.problems import Refused
from workers.ingest.regions.masks import IGNORED

_LOOKED_AT = 8
_LEAST_OVERLAP = 0.1
_LEAST_SHARE = 0.02
"""A value of masks with at least this share of what is drawn in one is no smoothed edge."""
_ONE_PIECE = 0.9

Pixels = NDArray[np.integer[Any]]


Agreement = Literal["same", "elsewhere", "more_classes"]
"""What masks are beside annotations: they show what is outlined, or other places, or several classes in one
of the annotations'."""


def agreement(items: Sequence[Item], masks: Mapping[str, Member], read: Read) -> Agreement:
    """What masks, by the name of their image without ending, show of what the annotations of items outline.

    Objects that a mask tells apart are no classes.
    """
    common = [item for item in items if stem_of(item.image.path).casefold() in masks]
    both = either = 0
    shown: defaultdict[int, set[int]] = defaultdict(set)
    pieces: list[tuple[int, int]] = []
    for item in spread(common, _LOOKED_AT):
        pair = _pair(item, masks[stem_of(item.image.path).casefold()], read)
        if pair is None:
            continue
        outlined, codes = pair
        background = _most(codes[outlined == 0]) if (outlined == 0).any() else _most(codes)
        drawn, known = codes != background, outlined != IGNORED
        objects = (outlined > 0) & known
        both += int((drawn & objects).sum())
        either += int(((drawn | objects) & known).sum())
        for value in _clear(codes[drawn & objects]):
            shown[_most(outlined[(codes == value) & objects])].add(value)
        pieces.append(one_piece(codes, background))
    if not either:
        return "same"
    single, looked_at = np.sum(pieces, axis=0)
    if any(len(values) > 1 for values in shown.values()) and single < _ONE_PIECE * looked_at:
        return "more_classes"
    return "elsewhere" if both < _LEAST_OVERLAP * either else "same"


def _pair(item: Item, mask: Member, read: Read) -> tuple[Pixels, Pixels] | None:
    """What is outlined in an image, and the colours of its mask, (H, W) each; None where they cannot be
    compared."""
    if isinstance(item.truth, Labels):
        return None
    try:
        data = read(item.image)
        image = decode_image(data if item.unpack is None else item.unpack(data))
        outlined = item.truth.rasterize(read, image)
        codes = color_codes(rgb_pixels(load(read(mask), cv2.IMREAD_COLOR_RGB))).astype(np.int64)
    except Refused:
        return None
    return (outlined, codes) if outlined.shape == codes.shape else None


def _most(values: Pixels) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])


def _clear(values: Pixels) -> list[int]:
    found = Counter(values.tolist())
    return [value for value, count in found.items() if count >= _LEAST_SHARE * found.total()]
