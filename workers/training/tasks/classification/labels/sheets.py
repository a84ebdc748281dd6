"""Sheets of small images with what is said of each below it; without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from trainyard.lettering import Color, draw_name
from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.resizing import square_inside

SIDE = 192
"""Height and width of an image on a sheet, in pixels."""
INK, RIGHT, WRONG = (32, 32, 32), (20, 120, 40), (190, 30, 30)

_GAP = 10
_LINE = 20
_FONT_SIZE = 14
_COLUMNS = 6


@dataclass(frozen=True, kw_only=True)
class Panel:
    """An image, (H, W, 3) RGB, and lines below it, each with its colour."""

    image: Uint8
    lines: Sequence[tuple[str, Color]]


def answered(
    images: Sequence[Uint8],
    true: NDArray[np.bool_],
    given: NDArray[np.bool_],
    classes: Sequence[PreparedClass],
) -> list[Panel]:
    """Each image above the classes that it has and those that it is given, (N, C) both."""
    return [
        Panel(
            image=image,
            lines=[
                (f"label: {names_of(classes, list(has))}", INK),
                (f"predicted: {names_of(classes, list(told))}", RIGHT if (has == told).all() else WRONG),
            ],
        )
        for image, has, told in zip(images, true, given, strict=True)
    ]


def sheet(panels: Sequence[Panel]) -> Uint8:
    """The panels in rows on white, (H, W, 3) RGB."""
    columns = min(_COLUMNS, len(panels))
    height = SIDE + _LINE * max(len(panel.lines) for panel in panels) + _GAP
    size = (_GAP + height * -(-len(panels) // columns), _GAP + (SIDE + _GAP) * columns)
    picture = Image.fromarray(np.full((*size, 3), 255, np.uint8))
    draw = ImageDraw.Draw(picture)
    for place, panel in enumerate(panels):
        top, left = _GAP + place // columns * height, _GAP + place % columns * (SIDE + _GAP)
        picture.paste(Image.fromarray(framed(panel.image)), (left, top))
        for line, (text, ink) in enumerate(panel.lines):
            baseline = top + SIDE + _LINE * line + 15
            draw_name(draw, (left, baseline), [text], size=_FONT_SIZE, room=SIDE, ink=ink)
    return np.asarray(picture, np.uint8)


def framed(image: Uint8) -> Uint8:
    """An image, (H, W, 3), within a square of SIDE pixels on white, its proportions kept."""
    height, width = image.shape[:2]
    rows, columns = square_inside(height, width, SIDE, "letterbox")
    size = (columns.stop - columns.start, rows.stop - rows.start)
    method = cv2.INTER_AREA if max(height, width) > SIDE else cv2.INTER_LINEAR
    square = np.full((SIDE, SIDE, 3), 255, np.uint8)
    square[rows, columns] = cv2.resize(image, size, interpolation=method)
    return square


def names_of(classes: Sequence[PreparedClass], has: Sequence[bool]) -> str:
    """The names of the classes that an image has, by comma; a dash for none."""
    return ", ".join(info.name for info, yes in zip(classes, has, strict=True) if yes) or "–"
