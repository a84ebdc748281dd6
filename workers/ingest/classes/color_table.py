"""Reads which colour of masks is which class: label_colors.txt, class_dict.csv with a header, colormap.txt.

The names void and unlabelled are ignored.
"""

import re

from workers.ingest.archive import Member
from workers.ingest.items import Color, Source
from workers.ingest.problems import Refused
from workers.ingest.regions.masks import IGNORED
from workers.ingest.text.text_files import read_text

_TABLES = tuple(
    re.compile(name, re.IGNORECASE)
    for name in (r"label_colors\.txt\Z", r"class_dict[^\W\d]*\.csv\Z", r"colormap\.txt\Z")
)
"""How names of such files end: `set_class_dict.csv`, `class_dict_seg.csv`."""
VOID = frozenset(("void", "unlabelled", "unlabeled", "ignore"))
_COLOR_FIRST = re.compile(r"\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\S.*?)\s*\Z")
_NAME_FIRST = re.compile(r"\s*([^,]+?)\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\Z")
_NAME_THEN = re.compile(r"\s*([^\W\d].*?)[\s,:;]+(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\s*\Z")
_NUMBER_FIRST = re.compile(r"\s*\d+\s+(\D.*?)\s+(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s*\Z")


Classes = tuple[dict[int, str], dict[Color, int], int | None]
"""Names by mask value, mask values by colour, and the value to ignore."""


def table_file(source: Source) -> Member | None:
    """The file that has the table; None where there is none."""
    for table in _TABLES:
        found = [member for member in source.members if table.search(member.path)]
        if found:
            return min(found, key=lambda member: (member.path.count("/"), member.path))
    return None


def read_color_table(source: Source) -> Classes | None:
    """What the upload's table says; None where there is none. Raises Refused."""
    file = table_file(source)
    if file is None:
        return None
    return parse_colors(read_text(source, file))


def rows_of(text: str) -> list[str]:
    """The names of all lines that give a colour, in order, void too."""
    return [entry[1] for line in text.splitlines() if (entry := _entry(line)) is not None]


def has_colors(line: str) -> bool:
    """Whether a line names a class and its colour."""
    return _entry(line) is not None


def parse_colors(text: str) -> Classes:
    """Names by value, in the order of lines `red green blue name`, `name,red,green,blue`, `number name red
    green blue` or `name red green blue`, the value of each colour, and the value to ignore; lines of another
    kind before the first are headers.

    Raises Refused.
    """
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
        if name.casefold() in VOID:
            table[color] = IGNORED
        elif len(names) == IGNORED:
            raise _broken(number, f"there are more than {IGNORED} classes")
        else:
            table[color] = len(names)
            names[len(names)] = name
    if not names:
        raise _broken(1, "no class is listed")
    return names, table, IGNORED if IGNORED in table.values() else None


def _entry(line: str) -> tuple[Color, str] | None:
    if match := _COLOR_FIRST.match(line):
        *parts, name = match.groups()
    elif match := _NAME_FIRST.match(line) or _NUMBER_FIRST.match(line) or _NAME_THEN.match(line):
        name, *parts = match.groups()
    else:
        return None
    red, green, blue = (int(part) for part in parts)
    return (red, green, blue), name


def _broken(line: int, what: str) -> Refused:
    return Refused(
        "colors_broken",
        f"Line {line} of the table of colours: {what}.",
        "Write lines such as `128 64 128 Road`, each colour once.",
    )
