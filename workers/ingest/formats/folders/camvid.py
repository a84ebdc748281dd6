"""Reads CamVid's colour masks: `NAME.png` with `NAME_L.png`, and the colours in label_colors.txt.

The colours may also be a table with a header, class_dict.csv. The names void and unlabelled are ignored.
Masks of indices (SegNet's form) are plain pictures.
"""

from pathlib import PurePosixPath

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.color_table import read_color_table, table_file
from workers.ingest.formats.annotations.image_lookup import CitedFiles, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.items import Color, FoundSet, Source
from workers.ingest.masks.objects.object_question import Couples
from workers.ingest.masks.reading import MaskSet, mask_reading
from workers.ingest.masks.sizes import settle_sizes
from workers.ingest.masks.survey import survey
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pairing.names.renumbered_masks import renumbered_members
from workers.ingest.paths.layout import PICTURES
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED

_SUFFIX = "_l"


class Camvid:
    """See `Format`."""

    name = "camvid"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a table of colours, and pictures whose names end in `_L`."""
        return table_file(source) is not None and any(_is_mask(member) for member in source.members)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        try:
            listed = read_color_table(source)
        except Refused as refusal:
            log.refused(None, refusal)
            return None
        if listed is None:
            log.error(
                "colors_missing",
                None,
                "There is no label_colors.txt that says which colour is which class.",
                "Add it, with lines such as `128 64 128 Road`.",
            )
            return None
        couples = _couples(source, options, log)
        if not couples and not log.has_errors:
            log.error(
                "no_pairs", None, "No image NAME has a mask NAME_L.", "Put images and masks in the upload."
            )
        if log.has_errors:
            return None
        try:
            return _of_couples(couples, *listed[:2], source, options, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None


def _of_couples(
    couples: Couples,
    names: dict[int, str],
    table: dict[Color, int],
    source: Source,
    options: IngestOptions,
    log: ProblemLog,
) -> FoundSet:
    resample, left_out = settle_sizes(couples, source.read, options, log)
    couples = [couple for couple in couples if couple[1].path not in left_out]
    given = MaskSet(
        couples=couples,
        kinds=survey([mask for _, mask in couples], source.read),
        read=source.read,
        options=options,
        listed=lambda: table,
        named=len(names),
        white=WHITE,
    )
    reading = mask_reading(given, log)
    found = [
        Located(
            image=image,
            truth=MaskTruth(member=mask, shown=reading.shown, table=reading.table, resample=resample),
        )
        for image, mask in couples
    ]
    colors = {value: color for color, value in table.items() if value != IGNORED}
    if reading.table is None:  # indices, in the order of the table
        file = table_file(source)
        listed_in = "" if file is None else file.path
        return FoundSet(
            items=named_items(found), colors=colors, listed=tuple(names.values()), listed_in=listed_in
        )
    return FoundSet(items=named_items(found), names=names, colors=colors, ignore_value=IGNORED)


def _couples(source: Source, options: IngestOptions, log: ProblemLog) -> list[tuple[Member, Member]]:
    """Each mask behind its image."""
    referenced = CitedFiles(member for member in source.members if not _is_mask(member))
    masks = [member for member in source.members if _is_mask(member)]
    found: list[tuple[Member, Member]] = []
    lost: list[tuple[Member, str]] = []
    for mask in masks:
        stem = PurePosixPath(mask.path).stem[: -len(_SUFFIX)]
        try:
            image = referenced.find_stem(stem, mask.path)
        except Refused as refusal:
            log.refused(mask.path, refusal)
            continue
        if image is None:
            lost.append((mask, stem))
        else:
            found.append((image, mask))
    found = renumbered_members(
        found, referenced.beside(image for image, _ in found), masks, source, options, log
    )
    paired = {mask.path for _, mask in found}
    report_missing([(mask.path, stem) for mask, stem in lost if mask.path not in paired], len(found), log)
    referenced.report_unlisted({image.path for image, _ in found}, log)
    return found


def _is_mask(member: Member) -> bool:
    path = PurePosixPath(member.path)
    return path.stem.casefold().endswith(_SUFFIX) and path.suffix.casefold() in PICTURES
