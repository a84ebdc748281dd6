"""What the colours in a set's masks mean: a table of colours, or those that are found."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import cv2
import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Color, Read
from workers.ingest.masks.values.edge_colors import MOST_BLURRED, edge_colors
from workers.ingest.masks.values.near_colors import NEAR
from workers.ingest.pictures.decode import load, rgb_pixels
from workers.ingest.pictures.large import color_strips
from workers.ingest.pictures.limits import TooLarge
from workers.ingest.pictures.mask_files import color_codes, color_of, hex_of
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.raster.color_modes import BAND_PIXELS
from workers.prepared.version import Uint8

MAX_COLORS = 64
"""Colours that a set's masks may have without a table: smoothed masks, and photographs, have more."""

BLACK: Color = (0, 0, 0)
WHITE_COLOR: Color = (255, 255, 255)

_JPEG_NEAR = 48  # how far in RGB, of 442, JPEG's compression takes the colour of an area
_MOST_JPEG_FAR = 0.05
_CLEAR = 24
_LISTED = 8
_MOST_DIFFERENT = 1 << 12

Counts = Mapping[int, int]
"""Pixels of a mask by their colour, 0xRRGGBB."""


def is_colored(members: Iterable[Member], read: Read) -> bool:
    """Whether any of these masks of three channels is not grey."""
    return any(_has_color(member, read) for member in members)


def color_counts(members: Iterable[Member], read: Read) -> list[Counter[int]]:
    """The colours of each mask that can be read; raises Refused where one has so many that it is no mask."""
    return [found for member in members if (found := _counted(member, read)) is not None]


def found_colors(
    members: Sequence[Member], counts: Sequence[Counts], read: Read
) -> tuple[dict[Color, int], dict[int, int]]:
    """A value for each colour that the masks have: 0 for black, the others from 1, in order; and the
    pixels of other colours, which are the smoothed edges of areas.

    `counts` are the masks' colours. Raises Refused where there are more than MAX_COLORS.
    """
    total, _ = _totals(counts)
    edges = edge_colors(members, total, read)
    kept = total.keys() - edges
    if len(kept) > MAX_COLORS:
        raise too_many_colors()
    colors = [color_of(code) for code in sorted(kept - {0})]
    table = {BLACK: 0} if 0 in kept else {}
    values = {color: value for value, color in enumerate(colors, start=1)}
    return table | values, {code: total[code] for code in edges}


def far_colors(
    counts: Sequence[Counts], table: Iterable[Color], *, lossy: bool
) -> tuple[dict[int, int], bool]:
    """The pixels of colours that the table lacks, and whether these are few enough to be edges.

    Those do not count that are near to one colour of the table alone; where masks are compressed with loss,
    only those do that are far from all.
    """
    total, _ = _totals(counts)
    known = np.array(list(table), np.int64).reshape(-1, 3)
    strange = {code: count for code, count in total.items() if color_of(code) not in set(map(tuple, known))}
    far = 0
    for code, count in strange.items():
        apart = np.array(color_of(code)) - known
        distances = np.sort(np.abs(apart).max(axis=1))
        is_near = distances[0] <= NEAR and (len(distances) == 1 or distances[1] >= _CLEAR)
        if lossy:
            is_near = (apart**2).sum(axis=1).min() <= _JPEG_NEAR**2
        far += 0 if is_near else count
    most = (_MOST_JPEG_FAR if lossy else MOST_BLURRED) * sum(total.values())
    return strange, far <= most


def warn_of_blurred(found: Counts, file: str, log: ProblemLog) -> None:
    """Say that these colours, which are no class, are read as the nearest that is one."""
    often = sorted(found, key=lambda code: (-found[code], code))
    told = ", ".join(f"{hex_of(color_of(code))} ({found[code]})" for code in often[:_LISTED])
    log.warning(
        "mask_soft_colors",
        file,
        f"{sum(found.values())} pixels of the masks have one of {len(found)} colours that are no class, as "
        f"smoothed edges have: they count as the class of the nearest colour. {told}"
        f"{' and more' if len(often) > _LISTED else ''}.",
        "Nothing, if that is meant; else save masks without smoothing and not as JPEG.",
    )


def color_names(table: Mapping[Color, int]) -> dict[int, str]:
    """Names of classes by value for a table of colours without names."""
    ordered = sorted(table.items(), key=lambda entry: entry[1])
    return {
        value: "background" if color == BLACK else f"color_{hex_of(color)[1:]}" for color, value in ordered
    }


def too_many_colors() -> Refused:
    """The refusal of masks whose colours cannot each be a class."""
    return Refused(
        "mask_color",
        f"The masks have more than {MAX_COLORS} colours: which colour is which class is not known.",
        "Name the colours of the classes, save masks without smoothing and not as JPEG, or as pictures with "
        "one channel whose values are class ids; if each object has a colour of its own, send `objects: "
        "one_class`.",
    )


def _totals(counts: Sequence[Counts]) -> tuple[Counter[int], Counter[int]]:
    """The pixels of each colour, and the masks that it is in."""
    total: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for found in counts:
        total.update(found)
        images.update(found.keys())
    return total, images


def _bands(data: bytes) -> Iterator[Uint8]:
    """The pixels of a mask as RGB, some rows at a time. Raises Refused."""
    try:
        pixels = rgb_pixels(load(data, cv2.IMREAD_COLOR_RGB))
    except TooLarge:
        yield from color_strips(data)
        return
    rows = max(BAND_PIXELS // pixels.shape[1], 1)
    for top in range(0, len(pixels), rows):
        yield pixels[top : top + rows]


def _has_color(member: Member, read: Read) -> bool:
    try:
        return any(bool((band != band[..., :1]).any()) for band in _bands(read(member)))
    except Refused:
        return False


def _counted(member: Member, read: Read) -> Counter[int] | None:
    """The colours of a mask, None where it cannot be read."""
    counted: Counter[int] = Counter()
    try:
        for band in _bands(read(member)):
            found, counts = np.unique(color_codes(band), return_counts=True)
            counted.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            if len(counted) > _MOST_DIFFERENT:
                break
    except Refused:
        return None
    if len(counted) > _MOST_DIFFERENT:
        raise too_many_colors()
    return counted
