"""What the colours in a set's masks mean: palettes, a table of colours, or those that are found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from workers.ingest.archive import Member
from workers.ingest.decode import load, open_header, rgb_pixels
from workers.ingest.formats.base import Color, Read
from workers.ingest.large import color_strips, open_large_header
from workers.ingest.limits import TooLarge
from workers.ingest.masks import color_codes, color_of, hex_of
from workers.ingest.plain import is_grey_png
from workers.ingest.problems import Refused
from workers.ingest.rgb import BAND_PIXELS
from workers.prepared import Uint8

MAX_COLORS = 64
"""Colours that a set's masks may have without a table: smoothed masks, and photographs, have more."""

BLACK: Color = (0, 0, 0)

_COLOR_MODES = ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB")
_CHANNELS = 3


@dataclass(kw_only=True)
class MaskKinds:
    """What the headers of a set's masks say.

    `colored` are masks that have three channels, `palette` the colours of the first mask that has one, and
    `palettes_differ` whether a later one contradicts it.
    """

    colored: list[Member] = field(default_factory=list)
    jpegs: list[Member] = field(default_factory=list)
    palette: list[Color] = field(default_factory=list)
    palettes_differ: bool = False


def survey(masks: Iterable[Member], read: Read) -> MaskKinds:
    """Look at the masks' headers; one that cannot be read is passed over here."""
    kinds = MaskKinds()
    for member in masks:
        try:
            data = read(member)
            if is_grey_png(data):  # as most are, and Pillow takes ten times as long to say so
                continue
            image = _header(data)
        except Refused:
            continue
        if image.format in ("JPEG", "MPO"):
            kinds.jpegs.append(member)
        elif image.mode in _COLOR_MODES:
            kinds.colored.append(member)
        elif image.mode == "P" and image.palette is not None:
            _compare(kinds, _colors(image.getpalette() or []))
    return kinds


def is_colored(members: Sequence[Member], read: Read) -> bool:
    """Whether any of these masks of three channels is not grey."""
    return any(found - _greys() for found in _each(members, read))


def found_colors(members: Iterable[Member], read: Read) -> dict[Color, int]:
    """A value for each colour that the masks have: 0 for black, the others from 1, in order.

    Raises Refused where there are more than MAX_COLORS.
    """
    codes: set[int] = set()
    for found in _each(members, read):
        codes |= found
        if len(codes) > MAX_COLORS:
            raise Refused(
                "mask_color",
                f"The masks have more than {MAX_COLORS} colours: which colour is which class is not known.",
                "Name the colours of the classes, save masks without smoothing and not as JPEG, or as "
                "pictures with one channel whose values are class ids.",
            )
    colors = [color_of(code) for code in sorted(codes - {0})]
    return ({BLACK: 0} if 0 in codes else {}) | {color: value for value, color in enumerate(colors, start=1)}


def color_names(table: dict[Color, int]) -> dict[int, str]:
    """Names of classes by value for a table of colours without names."""
    ordered = sorted(table.items(), key=lambda entry: entry[1])
    return {
        value: "background" if color == BLACK else f"color_{hex_of(color)[1:]}" for color, value in ordered
    }


def _each(members: Iterable[Member], read: Callable[[Member], bytes]) -> Iterable[set[int]]:
    """The colours of each mask that can be read, as 0xRRGGBB."""
    for member in members:
        codes: set[int] = set()
        try:
            for band in _bands(read(member)):
                codes.update(np.unique(color_codes(band)).tolist())
        except Refused:
            continue
        yield codes


def _header(data: bytes) -> Image.Image:
    try:
        return open_header(data)
    except TooLarge:
        return open_large_header(data)


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


def _greys() -> set[int]:
    return {grey << 16 | grey << 8 | grey for grey in range(256)}


def _colors(flat: Sequence[int]) -> list[Color]:
    whole = flat[: len(flat) // _CHANNELS * _CHANNELS]
    return list(zip(whole[::3], whole[1::3], whole[2::3], strict=True))


def _compare(kinds: MaskKinds, palette: list[Color]) -> None:
    """Tools cut a palette off behind the last colour in use: the common part counts."""
    common = min(len(palette), len(kinds.palette))
    kinds.palettes_differ |= palette[:common] != kinds.palette[:common]
    if len(palette) > len(kinds.palette):
        kinds.palette = palette
