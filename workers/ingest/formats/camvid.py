"""Reads CamVid's colour masks: `NAME.png` with `NAME_L.png`, and the colours in label_colors.txt.

The colours may also be a table with a header, class_dict.csv. The names void and unlabelled are ignored.
Masks of indices (SegNet's form) are plain pictures.
"""

import re
from pathlib import PurePosixPath

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.base import Color, FoundSet, Source
from workers.ingest.formats.cited import CitedFiles, report_missing
from workers.ingest.formats.items import Located, named_items
from workers.ingest.formats.pictures import MaskTruth
from workers.ingest.formats.regions import IGNORED
from workers.ingest.formats.split_names import folder_split
from workers.ingest.formats.text_files import named, read_text
from workers.ingest.layout import PICTURES
from workers.ingest.problems import ProblemLog, Refused

_TABLES = ("label_colors.txt", "class_dict.csv")
_SUFFIX = "_l"
_VOID = frozenset(("void", "unlabelled", "unlabeled", "ignore"))
_COLOR_FIRST = re.compile(r"\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\S.*?)\s*\Z")
_NAME_FIRST = re.compile(r"\s*([^,]+?)\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\Z")


class Camvid:
    """See `Format`."""

    name = "camvid"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a table of colours, and pictures whose names end in `_L`."""
        return _table_file(source) is not None and any(_is_mask(member) for member in source.members)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        table_file = _table_file(source)
        if table_file is None:
            log.error(
                "colors_missing",
                None,
                "There is no label_colors.txt that says which colour is which class.",
                "Add it, with lines such as `128 64 128 Road`.",
            )
            return None
        try:
            names, table = parse_colors(read_text(source, table_file))
        except Refused as refusal:
            log.refused(table_file.path, refusal)
            return None
        found = _located(source, table, log)
        if not found and not log.has_errors:
            log.error(
                "no_pairs", None, "No image NAME has a mask NAME_L.", "Put images and masks in the upload."
            )
        if log.has_errors:
            return None
        colors = {value: color for color, value in table.items() if value != IGNORED}
        return FoundSet(items=named_items(found), names=names, colors=colors, ignore_value=IGNORED)


def parse_colors(text: str) -> tuple[dict[int, str], dict[Color, int]]:
    """Names by value, in the order of lines `red green blue name` or `name,red,green,blue`, and the value of
    each colour; lines of another kind before the first are headers. Raises Refused."""
    names: dict[int, str] = {}
    table: dict[Color, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        entry = _entry(line)
        if entry is None:
            if table and line.strip():
                raise _broken(number, f"{line.strip()[:40]!r} is no colour with a name")
            continue
        color, name = entry
        if max(color) > 255 or color in table:
            raise _broken(number, f"the colour {color} of {name[:40]!r} is impossible, or there already")
        if name.casefold() in _VOID:
            table[color] = IGNORED
        elif len(names) == IGNORED:
            raise _broken(number, f"there are more than {IGNORED} classes")
        else:
            table[color] = len(names)
            names[len(names)] = name
    if not names:
        raise _broken(1, "no class is listed")
    return names, table


def _entry(line: str) -> tuple[Color, str] | None:
    if match := _COLOR_FIRST.match(line):
        *parts, name = match.groups()
    elif match := _NAME_FIRST.match(line):
        name, *parts = match.groups()
    else:
        return None
    red, green, blue = (int(part) for part in parts)
    return (red, green, blue), name


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


def _table_file(source: Source) -> Member | None:
    return next((file for file in (named(source, name) for name in _TABLES) if file is not None), None)


def _is_mask(member: Member) -> bool:
    path = PurePosixPath(member.path)
    return path.stem.casefold().endswith(_SUFFIX) and path.suffix.casefold() in PICTURES


def _broken(line: int, what: str) -> Refused:
    return Refused(
        "colors_broken", f"Line {line}: {what}.", "Write lines such as `128 64 128 Road`, each colour once."
    )
