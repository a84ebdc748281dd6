"""Masks whose stored values are not what is seen: palettes beside plain greys, and shapes in transparency."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Color, Read
from workers.ingest.masks.survey import MaskKinds, spread
from workers.ingest.pictures.decode import load
from workers.ingest.pictures.mask_files import WHITE, decode_mask
from workers.ingest.problems import Refused

_LOOKED_AT = 32
"""Masks of each kind that are decoded to know what they show."""

_BLACK: Color = (0, 0, 0)


def has_alpha_shapes(kinds: MaskKinds, read: Read) -> bool:
    """Whether the masks with transparency have one colour each, and shapes in how opaque they are."""
    shapes = False
    for member in spread(kinds.transparent, _LOOKED_AT):
        try:
            image = load(read(member), cv2.IMREAD_COLOR_RGB).image
            pixels = np.asarray(image if image.mode in ("LA", "RGBA") else image.convert("RGBA"))
        except Refused:
            continue
        if (pixels[..., :-1] != pixels[0, 0, :-1]).any():
            return False
        shapes |= bool((pixels[..., -1] != pixels[0, 0, -1]).any())
    return shapes


def seen_colors(kinds: MaskKinds, read: Read) -> set[Color]:
    """The colours that masks with a palette show."""
    return set(seen_indices(kinds, read).values())


def seen_indices(kinds: MaskKinds, read: Read) -> dict[int, Color]:
    """The colour of each index that masks with a palette use."""
    used = _values(spread(kinds.paletted, _LOOKED_AT), read)
    return {index: color for index, color in enumerate(kinds.palette) if index in used}


def seen_shades(kinds: MaskKinds, read: Read) -> Literal["values", "shades", "colors"]:
    """What of a palette counts: its indices, the greys it shows, or its colours, where indices share one.

    Raises Refused where palettes beside greys fit them by neither.
    """
    colors = seen_indices(kinds, read)
    used, seen = set(colors), set(colors.values())
    is_grey = all(len(set(color)) == 1 for color in seen)
    if kinds.grey or kinds.colored:
        return _beside_greys(kinds, read, used, seen if is_grey else None, len(seen))
    if len(seen) < 2:
        return "values"
    whites = [index for index, color in colors.items() if color == (WHITE, WHITE, WHITE)]
    if seen == {_BLACK, (WHITE, WHITE, WHITE)} and (whites != [1] and whites != [WHITE]):
        return "shades"
    shared = [color for color in seen - {_BLACK} if list(colors.values()).count(color) > 1]
    return "colors" if shared else "values"


def _beside_greys(
    kinds: MaskKinds, read: Read, used: set[int], seen: set[Color] | None, different: int
) -> Literal["values", "shades"]:
    """What counts beside masks without palette; `seen` are the colours shown, None where one is not grey."""
    greys = _values([*spread(kinds.grey, _LOOKED_AT), *spread(kinds.colored, _LOOKED_AT)], read)
    if not greys or not used:
        return "values"
    if seen is not None and {color[0] for color in seen} <= greys | {0}:
        return "shades"
    if used <= greys | {0}:
        return "values"
    if different <= 2 and greys <= {0, WHITE}:
        return "shades"
    raise Refused(
        "mask_modes",
        f"{len(kinds.paletted)} mask(s) have a palette, and neither its indices, {_listed(used)}, nor what "
        f"it shows are the values of the others, {_listed(greys)}.",
        "Save all masks in one way: grey values that are class ids.",
    )


def _values(members: Sequence[Member], read: Read) -> set[int]:
    found: set[int] = set()
    for member in members:
        try:
            found |= set(np.unique(decode_mask(read(member))).tolist())
        except Refused:
            continue
    return found


def _listed(values: set[int]) -> str:
    return ", ".join(map(str, sorted(values)[:10])) + (" and more" if len(values) > 10 else "")
