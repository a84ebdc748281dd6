"""The forms in which text files name classes: one a line, with its number, its colour, or neither."""

import csv
import re

from workers.ingest.classes.color_table import has_colors, parse_colors, rows_of
from workers.ingest.classes.files.class_tables import is_value
from workers.ingest.classes.files.voc_labels import labelmap
from workers.ingest.classes.named_classes import NamedClasses, Unread, first_value, in_order, with_ids
from workers.ingest.regions.masks import IGNORED

_SIGN = r"(?:\s*(?:[-=]>|→|[:,;=|)]|[-–.](?=\s))\s*|\s+)"
_NUMBER_FIRST = re.compile(rf"\(?(\d{{1,5}}){_SIGN}(\S.*)")
_NUMBER_LAST = re.compile(rf"(\S.*?)(?:{_SIGN}|\s+[-–]\s+|\s*\()(\d{{1,5}})\)?")
_PATH = re.compile(r"\.(png|jpe?g|bmp|tiff?|gif|json|xml)\b|^/|/.*/", re.IGNORECASE)
_LABELMAP = re.compile(r"[^:]+:\d{1,3},\d{1,3},\d{1,3}(:|$)")
_ITEM = re.compile(r"item\s*\{(.*?)\}", re.DOTALL)
_ITEM_ID = re.compile(r"\bid\s*:\s*(\d{1,5})")
_ITEM_NAME = re.compile(r"\b(?:display_)?name\s*:\s*[\"']([^\"']+)[\"']")
_IGNORE_LINE = "__ignore__"
"""LabelMe writes it before the name of value 0."""

_QUOTED = re.compile(r"[\s\"'\[\](){},;]*(.*?)[\s\"'\[\](){},;]*")
"""A name within the signs of lists in programs."""
_IN_A_ROW = re.compile(r"[,;\t]")
_CSV_HEADER = "pixel value"


def classes_of_text(text: str) -> NamedClasses:
    """What a list of lines says; raises Unread, or Refused for a broken table of colours."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise Unread("it is empty")
    lines = _plain_lines(lines)
    if _LABELMAP.match(lines[0]):
        names, table = labelmap(text)
        return NamedClasses(names=names, colors=table, ignore_value=IGNORED)
    if has_colors(lines[0]):
        names, table, ignored = parse_colors(text)
        listed = in_order(list(names.values()))
        start = first_value(listed)
        colors = {color: value + start * (value != ignored) for color, value in table.items()}
        return NamedClasses(listed=listed, colors=colors, ignore_value=ignored)
    if any(_PATH.search(line) for line in lines):
        raise Unread("its lines are paths of files")
    first = [_NUMBER_FIRST.fullmatch(line) for line in lines]
    last = [_NUMBER_LAST.fullmatch(line) for line in lines]
    if all(first):
        return NamedClasses(names=with_ids((match[1], match[2]) for match in first if match))
    if all(last) and len({match[2] for match in last if match}) == len(lines):
        return NamedClasses(names=with_ids((match[2], match[1]) for match in last if match))
    return NamedClasses(listed=in_order(lines[1:] if lines[0] == _IGNORE_LINE else lines))


def _plain_lines(lines: list[str]) -> list[str]:
    """Lines without the quotes and commas of a list in a program; a list in one line as one name a line."""
    if len(lines) == 1 and _IN_A_ROW.search(lines[0]) and not _LABELMAP.match(lines[0]):
        lines = [part for part in _IN_A_ROW.split(lines[0]) if part.strip()]
    elif not all(line.endswith(",") or line[0] in "\"'" for line in lines[:-1]):
        return lines
    plain = [_QUOTED.fullmatch(line) for line in lines]
    return [match[1] for match in plain if match and match[1]]


def classes_of_color_table(text: str) -> NamedClasses | None:
    """What a table of colours says of masks without colours: names in order. None for another file."""
    rows = rows_of(text)
    return NamedClasses(listed=in_order(rows)) if rows else None


def classes_of_csv(text: str) -> NamedClasses | None:
    """What Roboflow's `_classes.csv` says of the values of its "semantic segmentation masks".

    None for one of its sets for classification. Raises Unread.
    """
    rows = list(csv.reader(text.splitlines(), skipinitialspace=True))
    if not rows or not rows[0] or rows[0][0].strip().casefold() != _CSV_HEADER:
        return None
    named = [(row[0].strip(), row[1]) for row in rows[1:] if len(row) > 1]
    return NamedClasses(names=with_ids((value, name) for value, name in named if is_value(value)))


def classes_of_pbtxt(text: str) -> NamedClasses:
    """What TensorFlow's label_map.pbtxt says; raises Unread."""
    items = [(_ITEM_ID.search(item), _ITEM_NAME.search(item)) for item in _ITEM.findall(text)]
    return NamedClasses(names=with_ids((number[1], name[1]) for number, name in items if number and name))
