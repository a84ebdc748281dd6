"""Small charts as SVG, drawn with nothing but text; whatever a user named is escaped."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

Points = Sequence[tuple[float, float]]

_LEFT, _BOTTOM, _TOP, _RIGHT = 64, 34, 10, 12
_TICKS = 5
_BRIGHTEST = 170
"""Lines are darkened to this mean of their channels, to show on white."""


_PALE, _FULL = (246, 248, 250), (22, 84, 148)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve; `color` is RGB."""

    name: str
    points: Points
    color: tuple[int, int, int]
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The axes of a chart: what they are called, and the data's range along each."""

    x_label: str
    y_label: str
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)
    width: int = 380
    height: int = 260

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a point, in pixels from the upper left."""
        (low_x, high_x), (low_y, high_y) = self.x_range, self.y_range
        across = (x - low_x) / ((high_x - low_x) or 1)
        up = (y - low_y) / ((high_y - low_y) or 1)
        inner_width, inner_height = self.width - _LEFT - _RIGHT, self.height - _TOP - _BOTTOM
        return _LEFT + across * inner_width, self.height - _BOTTOM - up * inner_height


def line_chart(lines: Sequence[Line], frame: Frame) -> Markup:
    """Curves in a frame with ticks; a curve's name shows where the pointer rests on it."""
    return _svg(frame, [*_axes(frame), *(_polyline(line, frame) for line in lines)], "line chart")


def bar_chart(bars: Sequence[tuple[float, float, float, str]], frame: Frame) -> Markup:
    """Bars of (low, high, value, tip) over the diagonal that a calibrated network would follow."""
    drawn = []
    for low, high, value, tip in bars:
        (left, top), (right, bottom) = frame.at(low, value), frame.at(high, 0)
        drawn.append(
            Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>').format(
                left + 1, top, max(0.0, right - left - 2), bottom - top, _tip(tip)
            )
        )
    ideal = Line(name="calibrated", points=[(0, 0), (1, 1)], color=(110, 110, 110), dashed=True)
    return _svg(frame, [*_axes(frame), *drawn, _polyline(ideal, frame)], "bar chart")


def heat_map(
    names: Sequence[str], shares: Sequence[Sequence[float | None]], tips: Sequence[Sequence[str]]
) -> Markup:
    """A matrix of shares from 0 to 1, rows and columns named; the exact counts are in the tips."""
    cell = 34 if len(names) <= 16 else 20
    margin = 12 + 7 * max(_columns(name[:18]) for name in names)
    side = margin + cell * len(names) + 8
    parts = []
    for place, name in enumerate(names):
        middle = margin + cell * (place + 0.5)
        label = Markup('<text class="name" x="{}" y="{}" text-anchor="end">{}</text>')
        parts.append(label.format(margin - 6, middle + 4, name[:18]))
        label = Markup('<text class="name" transform="translate({} {}) rotate(-90)">{}</text>')
        parts.append(label.format(middle + 4, margin - 6, name[:18]))
    for row, values in enumerate(shares):
        for column, value in enumerate(values):
            left, top = margin + cell * column, margin + cell * row
            parts.append(_cell(left, top, cell, value, tips[row][column]))
    return _wrap(side, side, parts, "confusion matrix")


def _columns(text: str) -> int:
    """How wide a text is, in Latin letters: characters of Chinese, Japanese and Korean take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cell(left: float, top: float, size: int, value: float | None, tip: str) -> Markup:
    depth = value or 0.0
    shade = tuple(round(empty - depth * (empty - full)) for empty, full in zip(_PALE, _FULL, strict=True))
    box = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="rgb{}">{}</rect>').format(
        left, top, size - 1, size - 1, str(shade), _tip(tip)
    )
    if value is None or value < 0.005 or size < 30:
        return box
    ink = "#fff" if depth > 0.5 else "#333"
    text = Markup('<text class="cell" x="{}" y="{}" fill="{}">{:.0f}</text>')
    return box + text.format(left + size / 2, top + size / 2 + 4, ink, 100 * value)


def _axes(frame: Frame) -> list[Markup]:
    """Grid lines with their numbers, and the axes' names."""
    parts = []
    for step in range(_TICKS + 1):
        x = frame.x_range[0] + (frame.x_range[1] - frame.x_range[0]) * step / _TICKS
        y = frame.y_range[0] + (frame.y_range[1] - frame.y_range[0]) * step / _TICKS
        (left, level), (column, floor) = frame.at(frame.x_range[0], y), frame.at(x, frame.y_range[0])
        grid = Markup('<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
        parts.append(grid.format(left, level, frame.width - _RIGHT, level))
        tick = Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
        parts.append(tick.format(left - 5, level + 3.5, "end", f"{y:.2g}"))
        parts.append(tick.format(column, floor + 14, "middle", f"{x:.3g}"))
    label = Markup('<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>')
    parts.append(label.format((frame.width + _LEFT) / 2, frame.height - 4, frame.x_label))
    label = Markup(
        '<text class="label" transform="translate(10 {}) rotate(-90)" text-anchor="middle">{}</text>'
    )
    return [*parts, label.format((frame.height - _BOTTOM) / 2, frame.y_label)]


def _polyline(line: Line, frame: Frame) -> Markup:
    places = " ".join("{:.1f},{:.1f}".format(*frame.at(x, y)) for x, y in line.points)
    if len(line.points) == 1:
        x, y = frame.at(*line.points[0])
        dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}">{}</circle>')
        return dot.format(x, y, ink(line.color), _tip(line.name))
    shape = Markup('<polyline class="curve{}" points="{}" stroke="{}">{}</polyline>')
    return shape.format(" dashed" if line.dashed else "", places, ink(line.color), _tip(line.name))


def ink(color: tuple[int, int, int]) -> str:
    """The colour for a line on white: the same, darkened where it is too bright."""
    scale = min(1.0, _BRIGHTEST / max(1.0, sum(color) / 3))
    return "rgb({}, {}, {})".format(*(round(channel * scale) for channel in color))


def _tip(text: str) -> Markup:
    return Markup("<title>{}</title>").format(text)


def _svg(frame: Frame, parts: Sequence[Markup], kind: str) -> Markup:
    return _wrap(frame.width, frame.height, parts, kind)


def _wrap(width: float, height: float, parts: Sequence[Markup], kind: str) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">')
    return head.format(width, height, width, kind) + Markup("").join(parts) + Markup("</svg>")
