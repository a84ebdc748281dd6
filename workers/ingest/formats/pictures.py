"""Folders of images and mask pictures.

Masks are told from images, and found for them, by the names of folders and files (`layout`, `pairing`). The
values of a mask are grey values, palette indices or ids as stored; masks of colours are read by a table of
colours: the client's, else that of classes.json, dataset_meta.json or a table of colours alone
(`color_table`), else the colours found.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trainyard.catalog import DATASET_FORMATS
from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.class_masks import (
    BACKGROUND,
    BitFieldsTruth,
    EmptyTruth,
    ExclusiveTruth,
    UnionTruth,
    class_values,
)
from workers.ingest.classes_file import Classes, read_classes_file
from workers.ingest.decode import DecodedImage
from workers.ingest.formats.base import Color, FoundSet, Item, Read, Source, Truth
from workers.ingest.formats.color_table import read_color_table
from workers.ingest.formats.pixel_names import read_pixel_names
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

_ANNOTATIONS = (".json", ".xml", ".csv", ".txt", ".tfrecord", ".parquet", ".mat")
_NOTHING: Classes = ({}, {}, None)


@dataclass(frozen=True, kw_only=True, slots=True)
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
        try:
            about = _about(source, log) if options.classes is None else None
            pairing = pair(source, options, log)
            pairs = pairing.pairs
            if not pairs:
                _report_unread(source.members, log)
            if not pairs or log.is_blocked():
                return None
            if pairs[0].class_masks is not None:
                return replace(_of_class_masks(pairs), pairs=pairing.origin)
            folders = Counter(one.class_folder for one in pairs if one.class_folder is not None)
            found = _of_masks(pairs, source, options, about, log)
            return replace(found, pairs=pairing.origin, class_folders=folders)
        except Refused as refusal:
            log.refused(None, refusal)
            return None


def _about(source: Source, log: ProblemLog) -> Classes | None:
    """What a file of the upload says of its classes; None without one. Raises Refused."""
    about = read_classes_file(source, log)
    names = read_pixel_names(source) if about is None else None
    return (names, {}, None) if names else about


def _report_unread(members: Iterable[Member], log: ProblemLog) -> None:
    """Say what annotations there are of which no format is known."""
    found = [member.path for member in members if member.path.lower().endswith(_ANNOTATIONS)]
    if found:
        log.error(
            "annotations_unread",
            found[0],
            f"{len(found)} file(s) such as this one are of no format that outlines objects and is read: "
            f"{', '.join(DATASET_FORMATS)}.",
            "Export polygons or masks in one of these; boxes, captions and key points tell no pixels.",
        )


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
                image=found.image,
                truth=kind(file=masks[0][1].path if masks else found.image.path, masks=masks),
            )
        )
    names = {0: BACKGROUND} | {value: name for name, value in values.items()}
    return FoundSet(items=items, names=names, bit_fields=bit_fields)


def _of_masks(
    pairs: Sequence[Pair], source: Source, options: IngestOptions, about: Classes | None, log: ProblemLog
) -> FoundSet:
    masks = [mask for found in pairs for mask in found.masks]
    kinds = survey(masks, source.read)
    _warn_of_jpegs(kinds, log)
    colored = options.colors is None and (kinds.palettes_differ or is_colored(kinds.colored, source.read))
    if about is None and colored and options.classes is None:
        about = read_color_table(source)
    names, listed, ignore_value = about or _NOTHING
    colors = {value: color for color, value in listed.items()}
    table = _table(masks, source.read, options, listed) if colored or options.colors else None
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
            image=found.image,
            truth=_truth(found, white, table),
        )
        for found in pairs
    ]
    return FoundSet(items=items, names=names or None, colors=colors, ignore_value=ignore_value)


def _truth(found: Pair, white: int, table: Mapping[Color, int] | None) -> Truth:
    parts = [MaskTruth(member=mask, white=white, table=table) for mask in found.masks]
    if not parts:
        return EmptyTruth(file=found.image.path)
    return parts[0] if len(parts) == 1 else UnionTruth(parts=parts)


def _table(
    masks: Sequence[Member], read: Read, options: IngestOptions, listed: dict[Color, int]
) -> dict[Color, int]:
    """The value of each colour: as the client says, as the upload lists it, or as found. Raises Refused."""
    if options.colors is not None:
        return {_color(text): value for text, value in options.colors.items()}
    return listed or found_colors(masks, read)


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
