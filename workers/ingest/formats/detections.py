"""Finds files of boxes: annotations that outline nothing, of formats that are not read."""

import csv
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable

from workers.ingest.archive import Member
from workers.ingest.formats.yolo.labels import has_outline, is_label_text
from workers.ingest.items import Source
from workers.ingest.paths.words import ending_of
from workers.ingest.problems import Refused
from workers.ingest.text.sniff import sample

_LOOKED_AT = 3
"""Files of each folder that are looked at."""

_MOST_FOLDERS = 50

_START = 1 << 16
"""Bytes of a file that are looked at: enough for its first box."""

_XML = re.compile(rb"<(?:bndbox|robndbox)>")
_CREATEML = re.compile(rb'"coordinates"\s*:\s*\{')
_BOX_JSON = re.compile(rb'"(?:bbox|bndbox|box)"\s*:\s*[\[{]')
_SIDES = (
    {"xmin", "ymin", "xmax", "ymax"},
    {"x1", "y1", "x2", "y2"},
    {"x_min", "y_min", "x_max", "y_max"},
    {"x", "y", "width", "height"},
    {"bbox"},
)


def box_files(source: Source) -> list[list[Member]]:
    """The files of boxes, each list those of one ending in one folder, judged by a few of them."""
    folders: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in source.members:
        ending = ending_of(member.path)
        if ending in _TESTS:
            folders[posixpath.dirname(member.path), ending].append(member)
    return [
        members
        for (_, ending), members in list(folders.items())[:_MOST_FOLDERS]
        if any(_TESTS[ending](_start(source, member)) for member in sample(members, _LOOKED_AT))
    ]


def _start(source: Source, member: Member) -> bytes:
    try:
        with source.open(member) as file:
            return file.read(_START)
    except Refused:
        return b""


def _is_xml(data: bytes) -> bool:
    return _XML.search(data) is not None


def _is_json(data: bytes) -> bool:
    return (_CREATEML.search(data) or _BOX_JSON.search(data)) is not None


def _is_table(data: bytes) -> bool:
    """Whether the first line is a header that names the sides of a box."""
    header = data.decode("utf-8-sig", "replace").splitlines()[:1]
    names = {name.strip().casefold() for row in csv.reader(header) for name in row}
    return any(sides <= names for sides in _SIDES)


def _is_text(data: bytes) -> bool:
    text = data.decode("utf-8-sig", "replace")
    return is_label_text(text) and not has_outline(text)


_TESTS: dict[str, Callable[[bytes], bool]] = {
    ".xml": _is_xml,
    ".json": _is_json,
    ".csv": _is_table,
    ".txt": _is_text,
}
