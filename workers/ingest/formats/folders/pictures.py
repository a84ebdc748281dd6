"""Folders of images and mask pictures.

Masks are told from images, and found for them, by the names of folders and files (`layout`, `pairing`). How
their values are read is `mask_reading`'s to say. Names and colours are the client's, else those of a file of
names (`classes_file`) or a table of colours alone (`color_table`), else what is found.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from trainyard.catalog.names import DATASET_FORMATS
from trainyard.datasets.record import MASKS, IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.class_names import foreground
from workers.ingest.classes.color_table import read_color_table, table_file
from workers.ingest.classes.files.classes_file import other_names, read_classes_files
from workers.ingest.classes.named_classes import NamedClasses
from workers.ingest.formats.annotations.kinds import INSTANCES
from workers.ingest.formats.annotations.part_of import PartOf
from workers.ingest.items import Color, FoundSet, Item, Read, Source, Truth
from workers.ingest.masks.class_masks import (
    BACKGROUND,
    OBJECT,
    BitFieldsTruth,
    EmptyTruth,
    UnionTruth,
    class_values,
)
from workers.ingest.masks.objects.instance_twins import instance_twins
from workers.ingest.masks.objects.instances import InstancesTruth, show_one_object
from workers.ingest.masks.reading import MaskReading, MaskSet, mask_reading, white_value
from workers.ingest.masks.sizes import settle_sizes
from workers.ingest.masks.survey import MaskKinds, spread, survey
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.masks.values.colors import BLACK, color_names
from workers.ingest.pairing.pairs import Pair, Pairing, pair
from workers.ingest.pictures.mask_files import decode_mask
from workers.ingest.problems import ProblemLog, Refused, shown
from workers.prepared.planes import planes_of

_LOOKED_AT, _OF_EACH = 12, 4
"""Images of several masks that are looked at, and masks of each."""
_ANNOTATIONS = (".json", ".xml", ".csv", ".txt", ".tfrecord", ".parquet", ".mat")


class Pictures:
    """Reads images with masks that are pictures."""

    name = "pictures"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: what no other format is."""
        return True

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        try:
            pairing, twins = _paired(source, options, log)
            pairs = pairing.pairs
            if not pairs:
                _report_unread(source.members, log)
            if not pairs or log.is_blocked():
                return None
            if pairs[0].class_masks is not None:
                found = _of_class_masks(pairs, source, options, log)
                return replace(found, pairs=pairing.origin, classes=found.classes or _named_by(options))
            folders = Counter(one.class_folder for one in pairs if one.class_folder is not None)
            found = _of_masks(pairs, twins, source, options, log)
            return replace(found, pairs=pairing.origin, class_folders=folders)
        except Refused as refusal:
            log.refused(None, refusal)
            return None


def _paired(source: Source, options: IngestOptions, log: ProblemLog) -> tuple[Pairing, Mapping[str, Member]]:
    """The pairs, and the masks of objects beside those of classes, where each of these has one. Raises as
    `pair` does."""
    told = (options.masks, options.class_masks, options.objects)
    twins = instance_twins(source.members) if told == (None, None, None) else {}
    if twins:
        own = ProblemLog(options.on_question)
        taken = {member.path for member in twins.values()}
        rest = PartOf(source, [one for one in source.members if one.path not in taken])
        pairing = pair(rest, options, own)
        masks = [mask.path for one in pairing.pairs for mask in one.masks]
        if masks and twins.keys() >= set(masks):
            log.adopt(own)
            mask = masks[0]
            log.guess(
                f"{shown(twins[mask].path)} tells the objects apart of which {shown(mask)} has the classes"
            )
            return pairing, twins
    return pair(source, options, log), {}


def _named_by(options: IngestOptions) -> str:
    """What names the classes of masks that show one each."""
    if options.class_masks is not None:
        return "the option `class_masks`"
    of_images = options.class_folders == "classes"
    return "the folders of images" if of_images else "the names of masks and of their folders"


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


def _of_class_masks(
    pairs: Sequence[Pair], source: Source, options: IngestOptions, log: ProblemLog
) -> FoundSet:
    couples = [(one.image, mask) for one in pairs for _, mask in one.class_masks or ()]
    resample, left_out = settle_sizes(couples, source.read, options, log)
    pairs = [one for one in pairs if not any(mask.path in left_out for _, mask in one.class_masks or ())]
    named = {found.image.path: list(found.class_masks or ()) for found in pairs}
    values = class_values(named)
    bytes_of_pixel = planes_of(len(values))
    are_objects = values.keys() == {OBJECT} and _show_one_object(
        [[mask for _, mask in one.class_masks or ()] for one in pairs], source.read
    )
    items = []
    for found in pairs:
        masks = tuple((values[name], member) for name, member in found.class_masks or () if name in values)
        file = masks[0][1].path if masks else found.image.path
        truth: Truth = BitFieldsTruth(file=file, masks=masks, planes=bytes_of_pixel, resample=resample)
        if are_objects:
            planes = tuple(member for _, member in masks)
            truth = InstancesTruth(rasterized=truth, planes=planes, each="picture", resample=resample)
        items.append(Item(name=found.name, image=found.image, truth=truth))
    names = {0: BACKGROUND} | {value: name for name, value in values.items()}
    return FoundSet(
        items=items,
        kinds=INSTANCES if are_objects else MASKS,
        names=names,
        bit_fields=True,
        mask_planes=bytes_of_pixel,
        classes="masks of one object, or a part, each" if values.keys() == {OBJECT} else None,
    )


def _of_masks(
    pairs: Sequence[Pair],
    twins: Mapping[str, Member],
    source: Source,
    options: IngestOptions,
    log: ProblemLog,
) -> FoundSet:
    resample, left_out = settle_sizes(_couples(pairs), source.read, options, log)
    kept = [one for one in pairs if not any(mask.path in left_out for mask in one.masks)]
    about = _About(source, options, log)
    white = white_value(options.classes or about.said.names)
    couples = _couples(kept)
    given = MaskSet(
        couples=couples,
        kinds=survey([mask for _, mask in couples], source.read),
        read=source.read,
        options=options,
        listed=about.colors,
        named=len(foreground(options.classes or about.said.names or about.said.listed)),
        white=white,
    )
    reading = mask_reading(given, log)
    if reading.levels is None:
        _warn_of_jpegs(given.kinds, log)
    truths = [_truth(found, white, reading, resample=resample) for found in kept]
    each = _told_apart(kept, twins, reading, source.read)
    if each is not None:
        planes = [[twins.get(mask.path, mask) for mask in found.masks] for found in kept]
        truths = [
            InstancesTruth(rasterized=truth, planes=tuple(own), each=each, resample=resample)
            for truth, own in zip(truths, planes, strict=True)
        ]
    items = [
        Item(name=found.name, image=found.image, truth=truth)
        for found, truth in zip(kept, truths, strict=True)
    ]
    names, colors = _names_and_colors(reading, about, options, log)
    return FoundSet(
        items=items,
        kinds=MASKS if each is None else INSTANCES,
        names=names or None,
        colors=colors,
        ignore_value=about.by_color.ignore_value if reading.table else about.said.ignore_value,
        listed=() if names or options.classes is not None else about.said.listed,
        listed_in=about.file or "",
        others=about.others if reading.table is None else (),
        objects=reading.objects,
        cut_off=reading.objects and bool(given.kinds.deep),
        classes=about.file and f"the names in {about.file}" if names else None,
    )


def _couples(pairs: Iterable[Pair]) -> list[tuple[Member, Member]]:
    """Each mask behind its image."""
    return [(one.image, mask) for one in pairs for mask in one.masks]


def _truth(found: Pair, white: int, reading: MaskReading, *, resample: bool) -> Truth:
    parts = [
        MaskTruth(
            member=mask,
            white=white,
            shown=reading.shown,
            table=reading.table,
            levels=reading.levels,
            resample=resample,
        )
        for mask in found.masks
    ]
    if not parts:
        return EmptyTruth(file=found.image.path)
    return parts[0] if len(parts) == 1 else UnionTruth(parts=parts)


def _told_apart(
    pairs: Sequence[Pair],
    twins: Mapping[str, Member],
    reading: MaskReading,
    read: Read,
) -> Literal["id", "picture"] | None:
    """Whether ids in masks tell objects apart, or masks of one object each; None where neither does."""
    if twins or (reading.objects and reading.shown == "objects"):
        return "id"
    if reading.table:
        return None
    return "picture" if _show_one_object([one.masks for one in pairs], read) else None


def _show_one_object(masks: Sequence[Sequence[Member]], read: Read) -> bool:
    """Whether the masks of each image show one object each, as far as looked at: most have several."""
    several = [own for own in masks if len(own) > 1]
    if not several or 2 * len(several) < sum(map(bool, masks)):
        return False
    some = [mask for own in spread(several, _LOOKED_AT) for mask in own[:_OF_EACH]]
    try:
        return show_one_object([decode_mask(read(one)) for one in some])
    except Refused:  # too large, or no mask of one object; reading it tells
        return False


class _About:
    """What the upload's files say of its classes; the client, who names them, outranks these."""

    def __init__(self, source: Source, options: IngestOptions, log: ProblemLog) -> None:
        files = read_classes_files(source, log) if options.classes is None else []
        self.said = files[0].said if files else NamedClasses()
        self.file = files[0].path if files else None
        self.others = other_names(files)
        self.by_color = self.said
        self._source = source
        self._may_have_table = not self.said.colors and options.classes is None

    def colors(self) -> dict[Color, int]:
        """The values of colours: those in the file of names, else in a table of colours. Raises Refused."""
        if self._may_have_table:
            self._may_have_table = False
            names, colors, ignore_value = read_color_table(self._source) or ({}, {}, None)
            if colors:
                self.by_color = NamedClasses(names=names, colors=colors, ignore_value=ignore_value)
                self.file = getattr(table_file(self._source), "path", None)
        colors = self.by_color.colors
        if colors and 0 not in self.by_color.by_value:
            return {BLACK: 0, **colors}  # what no class has been drawn on
        return colors


def _names_and_colors(
    reading: MaskReading, about: _About, options: IngestOptions, log: ProblemLog
) -> tuple[dict[int, str], dict[int, Color]]:
    """Names of classes by value where they are known by now, and the colours that values have."""
    if reading.table is None:
        listed = {value: color for color, value in about.said.colors.items()}
        nobodys = options.classes is None and not about.said.listed and reading.names
        return about.said.names or dict(nobodys or {}), listed or reading.palette
    colors = {value: color for color, value in reversed(reading.table.items())}
    if options.classes is not None:
        return {}, colors
    if options.colors is None and about.by_color.colors:
        return about.by_color.by_value, colors
    if about.said.names or not (reading.found or options.colors):
        return about.said.names, colors
    names = color_names(reading.table)
    names.pop(-1 if options.ignore_value is None else options.ignore_value, None)
    _warn_of_found(names, options, log)
    return names, colors


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
