"""Objects drawn on their image: boxes with names, and outlines. Without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from trainyard.lettering import draw_name
from workers.prepared.run_lengths import decompressed, rasterize_runs
from workers.prepared.version import PreparedClass, Uint8
from workers.training.tasks.detection.labels.objects import Floats, Numbers

LONGEST = 960
"""Pixels of the longer side of a picture that objects are drawn on."""
_LEAST = 320
_GAP = 8
MOST_NAMED = 20
"""Objects of a picture that are all named; of more, those that are wide enough: names would cover others."""
_WIDE = 60
_FONT_SIZE = 13
_LINE = 17
_OPACITY = 0.4
_DARK, _LIGHT = (20, 20, 20), (255, 255, 255)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """What is drawn: `boxes` (M, 4) in pixels of the image, `classes` (M,), what is written at each, and
    outlines as COCO's compressed run lengths."""

    boxes: Floats
    classes: Numbers
    names: Sequence[str]
    outlines: Sequence[bytes] | None = None


def draw_objects(image: Uint8, drawn: Drawn, classes: Sequence[PreparedClass]) -> Uint8:
    """The image, (H, W, 3) RGB, with its objects in the colours of their classes, made smaller or larger to
    be looked at."""
    colors = [info.color for info in classes]
    painted = image if drawn.outlines is None else _with_outlines(image, drawn, colors)
    height, width = image.shape[:2]
    longer = max(height, width)
    scale = LONGEST / longer if longer > LONGEST else max(1.0, _LEAST / longer)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas: Uint8 = np.array(cv2.resize(painted, size, interpolation=method), np.uint8)
    boxes: Numbers = np.round(drawn.boxes * scale).astype(np.int64)
    for (left, top, right, bottom), index in zip(boxes, drawn.classes, strict=True):
        cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), colors[index], 2)
    return _with_names(canvas, boxes, drawn, colors)


def beside(panels: Sequence[Uint8]) -> Uint8:
    """Pictures of equal height from left to right, with a gap between them."""
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, np.uint8)
    return np.concatenate([part for panel in panels for part in (panel, gap)][:-1], axis=1)


def of_width(picture: Uint8, width: int) -> Uint8:
    """The picture made so many pixels wide, its proportions kept."""
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def below(pictures: Sequence[Uint8]) -> Uint8:
    """Pictures of equal width one below the other, with a gap between them."""
    gap = np.full((_GAP, pictures[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1])


def _with_outlines(image: Uint8, drawn: Drawn, colors: Sequence[tuple[int, int, int]]) -> Uint8:
    assert drawn.outlines is not None  # noqa: S101 - narrows the type
    painted = image.copy()
    for runs, index in zip(drawn.outlines, drawn.classes, strict=True):
        mask = np.zeros(image.shape[:2], np.uint8)
        rasterize_runs(decompressed(runs), mask)
        inside = mask > 0
        painted[inside] = (1 - _OPACITY) * painted[inside] + _OPACITY * np.array(colors[index])
    return painted


def _with_names(canvas: Uint8, boxes: Numbers, drawn: Drawn, colors: Sequence[tuple[int, int, int]]) -> Uint8:
    """Each above its box where there is room, else within it."""
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    few = len(boxes) <= MOST_NAMED
    for (left, top, right, _), index, name in zip(boxes, drawn.classes, drawn.names, strict=True):
        if not name or not (few or right - left >= _WIDE):
            continue
        room = min(max(int(right - left), 90), picture.width - int(left))
        width = min(room, 8 + 7 * len(name))
        upper = int(top) - _LINE if top >= _LINE else int(top)
        color = colors[index]
        draw.rectangle([int(left), upper, int(left) + width, upper + _LINE - 1], fill=tuple(color))
        ink = _DARK if sum(color) > 3 * 120 else _LIGHT
        draw_name(draw, (int(left) + 3, upper + 13), [name], size=_FONT_SIZE, room=room - 4, ink=ink)
    return np.asarray(picture, np.uint8)
