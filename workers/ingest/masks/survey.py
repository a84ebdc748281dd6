"""What kinds of pictures a set's masks are, by their headers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from workers.ingest.archive import Member
from workers.ingest.items import Color, Read
from workers.ingest.pictures.mask_files import any_header, palette_of
from workers.ingest.pictures.opencv_safe import is_deep_png, is_grey_png
from workers.ingest.problems import Refused
from workers.ingest.raster.color_modes import WIDE_MODES
from workers.ingest.raster.tiff_header import is_tiff, read_page

T = TypeVar("T")

_COLOR_MODES = ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB")


@dataclass(kw_only=True)
class MaskKinds:
    """What the headers of a set's masks say.

    `grey` are masks of one channel, and of these `deep` have more than 8 bits; `colored` have three channels,
    `jpegs` are compressed with loss, `paletted` have a palette, `transparent` have an alpha channel,
    `stacked` have several pages of full size. `palette` is the colours of the first that has one, and
    `palettes_differ` whether a later one contradicts it.
    """

    grey: list[Member] = field(default_factory=list)
    deep: list[Member] = field(default_factory=list)
    colored: list[Member] = field(default_factory=list)
    jpegs: list[Member] = field(default_factory=list)
    paletted: list[Member] = field(default_factory=list)
    transparent: list[Member] = field(default_factory=list)
    stacked: list[Member] = field(default_factory=list)
    palette: list[Color] = field(default_factory=list)
    palettes_differ: bool = False


def survey(masks: Iterable[Member], read: Read) -> MaskKinds:
    """Look at the masks' headers; one that cannot be read is passed over here."""
    kinds = MaskKinds()
    for member in masks:
        try:
            _note(kinds, member, read(member))
        except Refused:
            continue
    return kinds


def spread(some: Sequence[T], most: int) -> Sequence[T]:
    """At most so many of these, from all of their order alike."""
    return some[:: -(-len(some) // most)] if some else some


def _note(kinds: MaskKinds, member: Member, data: bytes) -> None:
    if is_grey_png(data):  # as most are, and Pillow takes ten times as long to say so
        kinds.grey.append(member)
        if is_deep_png(data):
            kinds.deep.append(member)
        return
    image = any_header(data)
    if image.format in ("JPEG", "MPO"):
        kinds.jpegs.append(member)
    elif image.mode in _COLOR_MODES:
        kinds.colored.append(member)
    elif image.mode == "P":
        kinds.paletted.append(member)
        _compare(kinds, palette_of(image))
    else:
        kinds.grey.append(member)
    if image.mode in ("RGBA", "LA", "PA"):
        kinds.transparent.append(member)
    if image.mode in (*WIDE_MODES, "F"):
        kinds.deep.append(member)
    if image.format == "GIF" and getattr(image, "is_animated", False):
        kinds.stacked.append(member)
    if is_tiff(data) and read_page(data).pages > 1:
        kinds.stacked.append(member)


def _compare(kinds: MaskKinds, palette: list[Color]) -> None:
    """Tools cut a palette off behind the last colour in use: the common part counts."""
    common = min(len(palette), len(kinds.palette))
    kinds.palettes_differ |= palette[:common] != kinds.palette[:common]
    if len(palette) > len(kinds.palette):
        kinds.palette = palette
