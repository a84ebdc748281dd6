"""Folders of images and mask pictures.

Masks are told from images, and found for them, by the names of folders and files (`layout`, `pairing`). The
values of a mask are grey values, palette indices or ids as stored; masks of colours are read by a table of
colours: the client's, else that of classes.json, else the colours found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.class_masks import BACKGROUND, BitFieldsTruth, ExclusiveTruth, class_values
from workers.ingest.classes_file import Classes, read_classes_file
from workers.ingest.decode import DecodedImage
from workers.ingest.formats.base import Color, FoundSet, Item, Read, Source
from workers.ingest.mask_colors import (
    MaskKinds,
    color_names,
    found_colors,
    is_colored,
    survey,
)
from workers.ingest.masks import WHITE, decode_colors, decode_mask, fit_mask
from workers.ingest.pairing import Pair, pair
from workers.ingest.problems import ProblemLog, Refused
from workers.prepared import MAX_OVERLAPPING, Uint8

_NOTHING: Classes = ({}, {}, None)


@dataclass(frozen=True, kw_only=True)
class MaskTruth:
    """A mask picture; `table` gives the values of its colours, None where it has values itself.

    `white` is the value of white where it has one bit per pixel.
    """

    member: Member
    white: int = WHITE
    table: Mapping[Color, int] | None = None

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.member.path

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`."""
        data = read(self.member)
        if self.table is None:
            return fit_mask(decode_mask(data, self.white, image), image)
        return fit_mask(decode_colors(data, self.table, image), image)


class Pictures:
    """Reads images with masks that are pictures."""

    name = "pictures"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: what no other format is."""
        return True

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        about = read_classes_file(source, log) if options.classes is None else None
        pairs = pair(source.members, log)
        if not pairs:
            return None
        try:
            if pairs[0].class_masks is not None:
                return _of_class_masks(pairs)
            return _of_masks(pairs, source, options, about or _NOTHING, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None


def _of_class_masks(pairs: Sequence[Pair]) -> FoundSet:
    named = {found.image.path: list(found.class_masks or ()) for found in pairs}
    values = class_values(named)
    bit_fields = len(values) <= MAX_OVERLAPPING
    kind = BitFieldsTruth if bit_fields else ExclusiveTruth
    items = []
    for found in pairs:
        masks = tuple((values[name], member) for name, member in found.class_masks or () if name in values)
        items.append(
            Item(
                name=found.name,
                split=found.split,
                image=found.image,
                truth=kind(file=found.mask.path, masks=masks),
            )
        )
    names = {0: BACKGROUND} | {value: name for name, value in values.items()}
    return FoundSet(items=items, names=names, bit_fields=bit_fields)


def _of_masks(
    pairs: Sequence[Pair], source: Source, options: IngestOptions, about: Classes, log: ProblemLog
) -> FoundSet:
    names, colors, ignore_value = about
    masks = [found.mask for found in pairs]
    kinds = survey(masks, source.read)
    _warn_of_jpegs(kinds, log)
    table = _table(masks, kinds, source.read, options, colors)
    if table is not None:
        colors = {value: color for color, value in reversed(table.items())}
        if not names and options.classes is None:
            names = color_names(table)
            names.pop(-1 if options.ignore_value is None else options.ignore_value, None)
            _warn_of_found(names, options, log)
    elif not colors:
        colors = dict(enumerate(kinds.palette))
    white = _white(options.classes or names)
    items = [
        Item(
            name=found.name,
            split=found.split,
            image=found.image,
            truth=MaskTruth(member=found.mask, white=white, table=table),
        )
        for found in pairs
    ]
    return FoundSet(items=items, names=names or None, colors=colors, ignore_value=ignore_value)


def _table(
    masks: Sequence[Member], kinds: MaskKinds, read: Read, options: IngestOptions, colors: dict[int, Color]
) -> dict[Color, int] | None:
    """The value of each colour; None where masks are to be read by their values. Raises Refused."""
    if options.colors is not None:
        return {_color(text): value for text, value in options.colors.items()}
    if not kinds.palettes_differ and not is_colored(kinds.colored, read):
        return None
    if colors:
        return {color: value for value, color in colors.items()}
    return found_colors(masks, read)


def _color(text: str) -> Color:
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError as error:
        raise Refused("colors_option", f"{text[:20]!r} is no colour.", "Write colours as #rrggbb.") from error
    return red, green, blue


def _white(names: Mapping[int, str]) -> int:
    """The value of white in masks of one bit: 1 where the classes named have 1 and not 255."""
    return 1 if 1 in names and WHITE not in names else WHITE


def _warn_of_jpegs(kinds: MaskKinds, log: ProblemLog) -> None:
    if kinds.jpegs:
        log.warning(
            "mask_jpeg",
            kinds.jpegs[0].path,
            f"{len(kinds.jpegs)} mask(s) are JPEGs, which blur values: they are parted at half grey into 0 "
            "and 255.",
            "Save masks as PNG from the original annotation.",
        )


def _warn_of_found(names: Mapping[int, str], options: IngestOptions, log: ProblemLog) -> None:
    if options.colors is None:
        log.warning(
            "colors_found",
            None,
            f"The masks are coloured, and each of their {len(names)} colours is taken as a class: "
            f"{', '.join(list(names.values())[:20])}.",
            "Name the colours, or the classes, when you upload the set.",
        )
