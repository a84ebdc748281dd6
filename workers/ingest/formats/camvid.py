"""Reads CamVid's colour masks: `NAME.png` with `NAME_L.png`, and the colours in label_colors.txt.

The colours may also be a table with a header, class_dict.csv. The names void and unlabelled are ignored.
Masks of indices (SegNet's form) are plain pictures.
"""

from pathlib import PurePosixPath

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.base import Color, FoundSet, Source
from workers.ingest.formats.cited import CitedFiles, report_missing
from workers.ingest.formats.color_table import read_color_table, table_file
from workers.ingest.formats.items import Located, named_items
from workers.ingest.formats.regions import IGNORED
from workers.ingest.formats.split_names import folder_split
from workers.ingest.layout import PICTURES
from workers.ingest.mask_truth import MaskTruth
from workers.ingest.problems import ProblemLog, Refused

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
        names, table, _ = listed
        found = _located(source, table, log)
        if not found and not log.has_errors:
            log.error(
                "no_pairs", None, "No image NAME has a mask NAME_L.", "Put images and masks in the upload."
            )
        if log.has_errors:
            return None
        colors = {value: color for color, value in table.items() if value != IGNORED}
        return FoundSet(items=named_items(found), names=names, colors=colors, ignore_value=IGNORED)


def _located(source: Source, table: dict[Color, int], log: ProblemLog) -> list[Located]:
    cited = CitedFiles(member for member in source.members if not _is_mask(member))
    masks = [member for member in source.members if _is_mask(member)]
    found: list[Located] = []
    lost: list[tuple[Member, str]] = []
    for mask in masks:
        stem = PurePosixPath(mask.path).stem[: -len(_SUFFIX)]
        try:
            image = cited.find_stem(stem, mask.path)
        except Refused as refusal:
            log.refused(mask.path, refusal)
            continue
        if image is None:
            lost.append((mask, stem))
            continue
        split = folder_split(image.path) or folder_split(mask.path)
        found.append(Located(image=image, split=split, truth=MaskTruth(member=mask, table=table)))
    report_missing([(mask.path, stem) for mask, stem in lost], len(found), log)
    cited.report_unlisted({one.image.path for one in found}, log)
    return found


def _is_mask(member: Member) -> bool:
    path = PurePosixPath(member.path)
    return path.stem.casefold().endswith(_SUFFIX) and path.suffix.casefold() in PICTURES
