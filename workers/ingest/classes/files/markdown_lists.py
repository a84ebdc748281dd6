"""The forms in which Markdown names classes: a table with a column of names, or a list of one name an item.

The numbers of an ordered list count its items, from 1 by Markdown's own custom, and are no mask values; what
an item itself says (`- 3: cow`) is.
"""

import csv
import io
import re

from workers.ingest.classes.files.class_lists import classes_of_text
from workers.ingest.classes.files.class_tables import classes_of_table
from workers.ingest.classes.named_classes import NamedClasses, Unread

_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(?P<text>\S.*)")
_RULE = re.compile(r"\s*\|?(?:\s*:?-{1,}:?\s*\|)+\s*:?-*:?\s*")
_MARKS = re.compile(r"[*`]|\A_|_\Z")


def classes_of_markdown(text: str) -> NamedClasses | None:
    """What the first table of names says, else the first list; raises Unread where there is neither."""
    said = classes_of_markdown_table(text)
    if said is not None:
        return said
    items = _items(text)
    if not items:
        raise Unread("it has no table and no list of names")
    return classes_of_text("\n".join(items))


def classes_of_markdown_table(text: str) -> NamedClasses | None:
    """What the first table says that has a column of names and one of mask values; None without one."""
    for rows in _tables(text):
        lines = io.StringIO()
        csv.writer(lines).writerows(rows)
        said = classes_of_table(lines.getvalue())
        if said is not None:
            return said
    return None


def _items(text: str) -> list[str]:
    """The items of the first list."""
    found: list[str] = []
    for line in text.splitlines():
        item = _ITEM.fullmatch(line)
        if item is not None:
            found.append(_MARKS.sub("", item["text"]).strip())
        elif line.strip() and found:
            break
    return found


def _tables(text: str) -> list[list[list[str]]]:
    """The cells of each table, its heading first."""
    lines = text.splitlines()
    found = []
    for at, line in enumerate(lines):
        if at and _RULE.fullmatch(line) and "|" in lines[at - 1]:
            rows = [_cells(lines[at - 1])]
            for row in lines[at + 1 :]:
                if "|" not in row:
                    break
                rows.append(_cells(row))
            found.append(rows)
    return found


def _cells(line: str) -> list[str]:
    return [_MARKS.sub("", cell.strip()).strip() for cell in line.strip().strip("|").split("|")]
