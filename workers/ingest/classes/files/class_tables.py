"""Tables with a heading that name classes: columns of names and of ids or colours."""

import csv
import re
from collections.abc import Sequence

from workers.ingest.classes.class_words import COLOR_HEADS, ID_HEADS, NAME_HEADS
from workers.ingest.classes.color_table import VOID
from workers.ingest.classes.named_classes import NamedClasses, first_value, in_order, with_ids
from workers.ingest.items import Color
from workers.ingest.regions.masks import IGNORED

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_NUMBERS = re.compile(r"[(\[]?\s*(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\s*[)\]]?")
_CHANNELS = (
    ("r", "red", "rouge", "rot", "rojo"),
    ("g", "green", "vert", "grün", "verde"),
    ("b", "blue", "bleu", "blau", "azul"),
)


def classes_of_table(text: str) -> NamedClasses | None:
    """What a CSV with a header says that has a column of names and one of ids, `id,name` or `class;value`, or
    one of colours, `#ff0000` or `(255, 0, 0)`, or three of these; None for another, such as labels of images.
    Raises Unread."""
    lines = text.splitlines()
    delimiter = next((sign for sign in "\t;" if lines and sign in lines[0]), ",")
    rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    rows = [[cell.strip() for cell in row] for row in rows[1:] if len(row) == len(header)]
    ids = [place for place, cell in enumerate(header) if cell in ID_HEADS]
    names = [place for place, cell in enumerate(header) if cell in NAME_HEADS]
    colors = _colors(rows, header)
    if len(names) != 1 or len(ids) > 1 or (not ids and not colors):
        return None
    called = [row[names[0]] for row in rows]
    if len(set(called)) < len(called):
        return None
    if not ids:
        return _of_colors(called, colors)
    values = [row[ids[0]] for row in rows]
    if not all(map(is_value, values)):
        return None
    by_color = dict(zip(colors, map(int, values), strict=True)) if colors else {}
    return NamedClasses(names=with_ids(zip(values, called, strict=True)), colors=by_color)


def is_value(text: str) -> bool:
    """Whether it is a mask value in digits."""
    return text.isascii() and text.isdigit() and int(text) <= 0xFF


def _of_colors(names: Sequence[str], colors: Sequence[Color]) -> NamedClasses:
    void = {color for name, color in zip(names, colors, strict=True) if name.casefold() in VOID}
    listed = in_order([name for name in names if name.casefold() not in VOID])
    start = first_value(listed)
    of_classes = [color for color in colors if color not in void]
    values = {color: value for value, color in enumerate(of_classes, start=start)}
    return NamedClasses(
        listed=listed,
        colors=values | dict.fromkeys(void, IGNORED),
        ignore_value=IGNORED if void else None,
    )


def _colors(rows: Sequence[Sequence[str]], header: Sequence[str]) -> list[Color]:
    """The colour of each row, all different; none where the table has no such columns."""
    places = [place for place, cell in enumerate(header) if cell in COLOR_HEADS]
    channels = [
        next((place for place, cell in enumerate(header) if cell in heads), None) for heads in _CHANNELS
    ]
    if len(places) == 1:
        cells = [row[places[0]] for row in rows]
    elif None not in channels:
        cells = [" ".join(row[place] for place in channels if place is not None) for row in rows]
    else:
        return []
    found = [color for cell in cells if (color := _color(cell)) is not None]
    return found if len(set(found)) == len(rows) else []


def _color(cell: str) -> Color | None:
    if match := _HEX.fullmatch(cell):
        red, green, blue = bytes.fromhex(match[1])
        return red, green, blue
    match = _NUMBERS.fullmatch(cell)
    if match is None or max(map(int, match.groups())) > 255:
        return None
    red, green, blue = map(int, match.groups())
    return red, green, blue
