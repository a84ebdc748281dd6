"""Pascal VOC's classes and colours, and the labelmap.txt that annotation tools add to them.

Source: VOC2012 development kit, section 4.2 and VOCcode/VOClabelcolormap.m.
"""

from workers.ingest.items import Color
from workers.ingest.problems import Refused
from workers.ingest.regions.masks import IGNORED

CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
"""The names of the values 0 to 20."""

VOID_NAMES = frozenset(("ignored", "void", "ignore"))
"""What labelmap.txt calls the pixels of no class."""


def palette_color(value: int) -> Color:
    """The colour of a value: its bits dealt to red, green and blue in turn, from each one's highest down."""
    parts = [0, 0, 0]
    for bit in range(8):
        parts[bit % 3] |= (value >> bit & 1) << 7 - bit // 3
    return parts[0], parts[1], parts[2]


def labelmap(text: str) -> tuple[dict[int, str], dict[Color, int]]:
    """Names by value, in the order of lines `name:red,green,blue:parts:actions`, and values by colour.

    VOC's void colour is IGNORED, and so are the names in VOID_NAMES. Raises Refused.
    """
    names: dict[int, str] = {}
    table: dict[Color, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        color = _color(rest.partition(":")[0], number)
        if color in table:
            raise _broken(number, f"the colour of {name!r} is another class's already")
        if name.casefold() in VOID_NAMES:
            table[color] = IGNORED
            continue
        if len(names) == IGNORED:
            raise _broken(number, f"there are more than {IGNORED} classes")
        table[color] = len(names)
        names[len(names)] = name
    table.setdefault(palette_color(IGNORED), IGNORED)
    if not names:
        raise _broken(1, "no class is listed")
    return names, table


def _color(text: str, line: int) -> Color:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise _broken(line, f"{text[:20]!r} is no colour")
    red, green, blue = (int(part) if len(part.strip()) <= 3 else 256 for part in parts)
    if max(red, green, blue) > 255:
        raise _broken(line, f"{text[:20]!r} is no colour")
    return red, green, blue


def _broken(line: int, what: str) -> Refused:
    return Refused(
        "labelmap_broken",
        f"Line {line} of the label map: {what}.",
        "Write lines of name:red,green,blue::, each colour once.",
    )
