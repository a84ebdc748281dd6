"""Charts as pictures, for those who read no page: a matrix of shares, and curves."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from trainyard.lettering import draw_name
from workers.prepared.version import Uint8
from workers.training.report.charts import Line

_INK, _GRID = (60, 70, 80), (225, 230, 236)
_PALE, _FULL = np.array((246, 248, 250)), np.array((22, 84, 148))
_FONT = 14
_ROOM = 120
"""Pixels for the names beside a matrix."""
_SIDE = 420
"""Height and width of the square in which curves are drawn, in pixels."""
_LEGEND = 20
_CAPTION, _CAPTION_ROOM = "truth in rows, prediction in columns, % of the row", 370


def matrix_picture(names: Sequence[str], shares: Sequence[Sequence[float | None]]) -> Uint8:
    """A matrix of shares from 0 to 1, rows and columns named, in per cent, (H, W, 3) RGB."""
    cell = 44 if len(names) <= 16 else 26
    side = cell * len(names)
    width, height = max(_ROOM + side + 10, _CAPTION_ROOM), _ROOM + side + 30
    picture = Image.fromarray(np.full((height, width, 3), 255, np.uint8))
    draw = ImageDraw.Draw(picture)
    _name(draw, (8, height - 10), _CAPTION, room=width)
    for place, name in enumerate(names):
        middle = _ROOM + cell * place + cell // 2
        _name(draw, (8, middle + 5), name)
        picture.paste(_upright(name), (middle - _FONT // 2 - 3, 4))
    for row, values in enumerate(shares):
        for column, value in enumerate(values):
            corner = (_ROOM + cell * column, _ROOM + cell * row)
            _cell(draw, corner, cell, value)
    return np.asarray(picture, np.uint8)


def curves_picture(lines: Sequence[Line], x_label: str, y_label: str) -> Uint8:
    """Curves of values from 0 to 1 with their names below, (H, W, 3) RGB."""
    left, top = 60, 14
    height = top + _SIDE + 46 + _LEGEND * len(lines)
    picture = Image.fromarray(np.full((height, left + _SIDE + 20, 3), 255, np.uint8))
    draw = ImageDraw.Draw(picture)
    for step in range(6):
        across, down = left + _SIDE * step // 5, top + _SIDE - _SIDE * step // 5
        draw.line([(left, down), (left + _SIDE, down)], fill=_GRID)
        draw.line([(across, top), (across, top + _SIDE)], fill=_GRID)
        _name(draw, (left - 34, down + 5), f"{step / 5:.1f}")
        _name(draw, (across - 10, top + _SIDE + 18), f"{step / 5:.1f}")
    _name(draw, (left, top + _SIDE + 38), f"{y_label} against {x_label}", room=_SIDE)
    for place, line in enumerate(lines):
        points = [(left + x * _SIDE, top + (1 - y) * _SIDE) for x, y in line.points]
        if len(points) > 1:
            draw.line(points, fill=line.color, width=2)
        baseline = top + _SIDE + 60 + _LEGEND * place
        draw.line([(left, baseline - 5), (left + 24, baseline - 5)], fill=line.color, width=3)
        _name(draw, (left + 32, baseline), line.name, room=_SIDE - 32)
    return np.asarray(picture, np.uint8)


def _cell(draw: ImageDraw.ImageDraw, corner: tuple[int, int], size: int, value: float | None) -> None:
    left, top = corner
    shade = tuple(round(part) for part in _PALE + (value or 0.0) * (_FULL - _PALE))
    draw.rectangle([left, top, left + size - 2, top + size - 2], fill=shade)
    if value is not None and value >= 0.005:
        ink = (255, 255, 255) if value > 0.5 else _INK
        text = f"{100 * value:.0f}"
        where = (left + size / 2 - 4 * len(text), top + size / 2 + 5)
        draw_name(draw, where, [text], size=_FONT, room=size, ink=ink)


def _name(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, room: float = _ROOM - 14) -> None:
    draw_name(draw, place, [text], size=_FONT, room=room, ink=_INK)


def _upright(name: str) -> Image.Image:
    """A name that is read from below upwards."""
    strip = Image.fromarray(np.full((_FONT + 6, _ROOM - 8, 3), 255, np.uint8))
    _name(ImageDraw.Draw(strip), (2, _FONT), name)
    return strip.transpose(Image.Transpose.ROTATE_90)
