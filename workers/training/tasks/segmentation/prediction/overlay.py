"""A picture to judge a run by: validation images with their truth and what the network makes of them."""

from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw

from trainyard.lettering import draw_name
from workers.prepared.version import PreparedClass, Uint8
from workers.training.checkpoints.files import ModelCard
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.data.picture_files import write_picture
from workers.training.tasks.segmentation.data.squares import SegmentationDataset
from workers.training.tasks.segmentation.labels.label_codec import Reading, reading_of
from workers.training.tasks.segmentation.labels.painting import Colouring, blend, colouring
from workers.training.tasks.segmentation.labels.panels import GAP, row_of

_ROWS = 4
_SIDE = 256
"""Height and width of one picture, in pixels."""
_LINE = 28
_INK = (32, 32, 32)
_FONT_SIZE = 15


def write_overlay(trained: TrainedNetwork, val: SegmentationDataset, card: ModelCard, path: Path) -> None:
    """Write up to four rows of image | truth | prediction and a legend as PNG; raises StorageUnavailable."""
    classes, task = card.classes, card.spec.model.task
    colors, reading = colouring(classes, task), reading_of(task, len(classes))
    rows = [_row(trained, reading, val, index, colors) for index in range(min(_ROWS, len(val)))]
    heading = _captions(["image", "truth", "prediction"], rows[0].shape[1])
    picture = np.concatenate([heading, *rows, _legend(classes, rows[0].shape[1])])
    write_picture(picture, path)


def _row(
    trained: TrainedNetwork, reading: Reading, val: SegmentationDataset, index: int, colors: Colouring
) -> Uint8:
    item = val[0, index]
    image, mask = item["image"], item["mask"]
    assert isinstance(image, torch.Tensor)  # noqa: S101 - narrows the type
    assert isinstance(mask, torch.Tensor)  # noqa: S101
    with torch.inference_mode():
        predicted = reading.decide(trained(image[None]))[0].numpy()
    plain, truth = image.numpy(), mask.numpy()
    return row_of([plain, blend(plain, truth, colors), blend(plain, predicted, colors)], _SIDE, _SIDE)


def _captions(texts: list[str], width: int) -> Uint8:
    strip = np.full((_LINE, width, 3), 255, np.uint8)
    for place, text in enumerate(texts):
        _write(strip, [text], place * (_SIDE + GAP) + 4, _LINE - 9)
    return strip


def _legend(classes: list[PreparedClass], width: int) -> Uint8:
    """One line per three classes: a square of its colour and its name."""
    lines = -(-len(classes) // 3)
    strip = np.full((lines * _LINE, width, 3), 255, np.uint8)
    for place, info in enumerate(classes):
        left, top = (place % 3) * (_SIDE + GAP) + 4, (place // 3) * _LINE
        cv2.rectangle(strip, (left, top + 6), (left + 16, top + 22), info.color, cv2.FILLED)
        cv2.rectangle(strip, (left, top + 6), (left + 16, top + 22), _INK, 1)
        _write(strip, [info.name, f"class {info.index}"], left + 24, top + 19)
    return strip


def _write(strip: Uint8, names: list[str], left: int, baseline: int) -> None:
    """Write the first name that can be drawn within a panel's width."""
    picture = Image.fromarray(strip)
    place, room = (left, baseline), _SIDE + GAP - 32
    draw_name(ImageDraw.Draw(picture), place, names, size=_FONT_SIZE, room=room, ink=_INK)
    strip[:] = np.asarray(picture)
