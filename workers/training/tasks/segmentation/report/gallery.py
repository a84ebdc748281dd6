"""Images beside their truth, their prediction and their errors."""

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from workers.prepared.planes import shape_of
from workers.prepared.version import Uint8
from workers.training.checkpoints.files import ModelCard
from workers.training.data.picture_files import write_picture
from workers.training.data.resizing import square_inside
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, load
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.mask_labels import is_ignored, planes
from workers.training.tasks.segmentation.labels.painting import blend, colouring
from workers.training.tasks.segmentation.report.evaluation import Forward, ScoredImage
from workers.training.tasks.segmentation.report.whole_images import WholeImages

SIDE = 192
"""Height and width of one panel, in pixels."""

_FLAT = 2
_LARGEST = 1024
_GAP = 6
_WEBP_QUALITY = 80
_WRONG = (230, 40, 40)
_DIM = 0.45


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A row image | truth | prediction | error: its file, and the same as a data URI for the page."""

    name: str
    miou: float | None
    wrong_share: float | None
    figure: str
    uri: str


class Gallery:
    """Draws strips of one split into a folder; squares of each go through the network, `batch` at once."""

    def __init__(
        self,
        forward: Forward,
        squares: SegmentationDataset,
        card: ModelCard,
        device: torch.device,
        folder: Path,
        *,
        batch: int,
    ) -> None:
        self._forward = forward
        self._squares = squares
        self._whole = WholeImages(squares)
        self._batch = batch
        self._task = card.spec.model.task
        self._reading = reading_of(self._task, len(card.classes))
        self._planes = planes(self._task, len(card.classes))
        self._colors = colouring(card.classes, self._task)
        self._device = device
        self._folder = folder

    def draw(self, chosen: list[ScoredImage], title: str) -> list[Strip]:
        """Write `<title>-01.png` and so on; raises StorageUnavailable."""
        return [self._strip(image, f"{title}-{place:02d}.png") for place, image in enumerate(chosen, 1)]

    def _strip(self, scored: ScoredImage, file: str) -> Strip:
        image, truth, predicted = self._pictures(scored.index)
        labelled = ~is_ignored(truth, self._task)
        wrong = differ(truth, predicted)
        wrong_share = float(np.mean(wrong[labelled])) if labelled.any() else None
        image = _shrunk(image, cv2.INTER_AREA)
        truth, predicted = (_shrunk(one, cv2.INTER_NEAREST) for one in (truth, predicted))
        labelled = ~is_ignored(truth, self._task)
        labels = [blend(image, mask, self._colors) for mask in (truth, predicted)]
        picture = joined([image, *labels, errors(image, truth, predicted, labelled)])
        write_picture(picture, self._folder / file)
        return Strip(
            name=self._whole.name(scored.index),
            miou=scored.miou,
            wrong_share=wrong_share,
            figure=f"{self._folder.name}/{file}",
            uri=_data_uri(picture),
        )

    def _pictures(self, image: int) -> tuple[Uint8, Uint8, Uint8]:
        """A whole image, (H, W, 3), its truth and its prediction, masks of its size."""
        size = self._whole.size(image)
        truth, found = (np.zeros(shape_of(*size, self._planes), np.uint8) for _ in range(2))
        pictures = (np.zeros((*size, 3), np.uint8), truth, found)
        places = self._whole.places(image)
        for start in range(0, len(places), self._batch):
            some = places[start : start + self._batch]
            images, masks = load(self._squares, some)
            predicted = self._reading.decide(self._forward(images.to(self._device))).cpu()
            for picture, parts in zip(pictures, (images, masks, predicted), strict=True):
                for place, part in zip(some, parts, strict=True):
                    self._whole.paste(picture, place, part.numpy())
        return pictures


def errors(image: Uint8, truth: Uint8, predicted: Uint8, labelled: NDArray[np.bool_]) -> Uint8:
    """The image in dim grey with wrong pixels in red and ignored ones in black, (H, W, 3).

    A pixel of a multilabel task is wrong where any of its classes is.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    picture = (cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB) * _DIM).astype(np.uint8)
    picture[differ(truth, predicted)] = _WRONG
    picture[~labelled] = 0
    return picture


def differ(truth: Uint8, predicted: Uint8) -> NDArray[np.bool_]:
    """Where two masks, (H, W) or (H, W, P), are not the same, (H, W)."""
    wrong = np.asarray(truth != predicted)
    return wrong if wrong.ndim == _FLAT else np.asarray(wrong.any(axis=-1))


def joined(panels: list[Uint8]) -> Uint8:
    """The panels, (H, W, 3) all alike, side by side in SIDE x SIDE pixels each, white around and between."""
    gap = np.full((SIDE, _GAP, 3), 255, np.uint8)
    row = [_framed(panel) for panel in panels]
    return np.concatenate([part for panel in row for part in (panel, gap)][:-1], axis=1)


def _shrunk(picture: Uint8, method: int) -> Uint8:
    """An image or a mask that is much larger than its panel, to a few times its size: it is copied often."""
    scale = _LARGEST / max(picture.shape[:2])
    if scale >= 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def _framed(panel: Uint8) -> Uint8:
    height, width = panel.shape[:2]
    rows, columns = square_inside(height, width, SIDE, "letterbox")
    size = (columns.stop - columns.start, rows.stop - rows.start)
    method = cv2.INTER_AREA if max(height, width) > SIDE else cv2.INTER_NEAREST
    framed = np.full((SIDE, SIDE, 3), 255, np.uint8)
    framed[rows, columns] = cv2.resize(panel, size, interpolation=method)
    return framed


def _data_uri(picture: Uint8) -> str:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()
