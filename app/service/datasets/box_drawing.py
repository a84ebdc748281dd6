"""Boxes of objects drawn on a picture of their image, each with the name of its class."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from trainyard.lettering import draw_name, name_width

Color = tuple[int, int, int]

FONT_SIZE = 11
TAG_HEIGHT = 14
TAG_ROOM = 110
"""Pixels that a name may take."""
MARGIN = 3
LEAST_NAMED = 24
"""Pixels of the longer side of a box that has room for its name."""
DASH = 5
"""Pixels of a dash of a crowd's box, and of the gap behind it."""
_BRIGHT = 140
_DARK_INK, _LIGHT_INK = (20, 20, 20), (255, 255, 255)


@dataclass(frozen=True, kw_only=True)
class ObjectInfo:
    """An object of a sample: its box, left, top, right and bottom in pixels of the image as prepared, and the
    index, name and colour of its class among those of objects."""

    box: tuple[float, float, float, float]
    index: int
    name: str
    color: Color
    crowd: bool


def draw_boxes(picture: Image.Image, scale: tuple[float, float], objects: Sequence[ObjectInfo]) -> None:
    """Draw the boxes, scaled along x and y, on an RGB picture: large ones first, crowds in dashes."""
    draw = ImageDraw.Draw(picture)
    placed = sorted(((_scaled(one, scale), one) for one in objects), key=lambda pair: -_area(pair[0]))
    for sides, one in placed:
        if one.crowd:
            _dashed(draw, sides, one.color)
        else:
            draw.rectangle(sides, outline=one.color, width=2)
    for sides, one in placed:
        if max(sides[2] - sides[0], sides[3] - sides[1]) >= LEAST_NAMED:
            _tag(draw, sides, one, picture.size)


def _scaled(one: ObjectInfo, scale: tuple[float, float]) -> tuple[int, int, int, int]:
    """The pixels of its corners, both of which are drawn."""
    left, top, right, bottom = one.box
    first = round(left * scale[0]), round(top * scale[1])
    return *first, max(round(right * scale[0]) - 1, first[0]), max(round(bottom * scale[1]) - 1, first[1])


def _area(sides: tuple[int, int, int, int]) -> int:
    return (sides[2] - sides[0]) * (sides[3] - sides[1])


def _dashed(draw: ImageDraw.ImageDraw, sides: tuple[int, int, int, int], color: Color) -> None:
    left, top, right, bottom = sides
    for x in range(left, right, 2 * DASH):
        for y in (top, bottom):
            draw.line([(x, y), (min(x + DASH, right), y)], fill=color, width=2)
    for y in range(top, bottom, 2 * DASH):
        for x in (left, right):
            draw.line([(x, y), (x, min(y + DASH, bottom))], fill=color, width=2)


def _tag(
    draw: ImageDraw.ImageDraw, sides: tuple[int, int, int, int], one: ObjectInfo, size: tuple[int, int]
) -> None:
    """The name on the colour, above the box or in it where there is no room."""
    left, top, right, _ = sides
    names, room = (one.name, str(one.index)), min(max(right - left, LEAST_NAMED), TAG_ROOM) - 2 * MARGIN
    width = round(name_width(names, size=FONT_SIZE, room=max(room, 1))) + 2 * MARGIN
    left = max(min(left, size[0] - width), 0)
    y = top - TAG_HEIGHT if top >= TAG_HEIGHT else top
    draw.rectangle([left, y, left + width - 1, y + TAG_HEIGHT], fill=one.color)
    red, green, blue = one.color
    ink = _DARK_INK if 0.3 * red + 0.59 * green + 0.11 * blue > _BRIGHT else _LIGHT_INK
    place = (left + MARGIN, y + TAG_HEIGHT - MARGIN)
    draw_name(draw, place, names, size=FONT_SIZE, room=max(room, 1), ink=ink)
