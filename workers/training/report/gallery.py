"""Images beside their truth, their prediction and their errors."""

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from workers.prepared import Uint8
from workers.training.checkpoints import ModelCard
from workers.training.data import Squares
from workers.training.labels import is_ignored
from workers.training.painting import blend, palette, write_picture
from workers.training.reading import reading_of
from workers.training.report.evaluation import Forward, ScoredImage
from workers.training.squares import load

SIDE = 192
"""Height and width of one panel, in pixels."""

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
    """Draws strips of one split into a folder, a forward pass for each."""

    def __init__(
        self, forward: Forward, squares: Squares, card: ModelCard, device: torch.device, folder: Path
    ) -> None:
        self._forward = forward
        self._squares = squares
        self._task = card.spec.model.task
        self._reading = reading_of(self._task, len(card.classes))
        self._colors = palette(card.classes, self._task)
        self._device = device
        self._folder = folder

    def draw(self, chosen: list[ScoredImage], title: str) -> list[Strip]:
        """Write `<title>-01.png` and so on; raises StorageUnavailable."""
        return [self._strip(image, f"{title}-{place:02d}.png") for place, image in enumerate(chosen, 1)]

    def _strip(self, scored: ScoredImage, file: str) -> Strip:
        images, masks = load(self._squares, [scored.index])
        predicted = self._reading.decide(self._forward(images.to(self._device)))[0].cpu().numpy()
        image, truth = images[0].numpy(), masks[0].numpy()
        labelled = ~is_ignored(truth, self._task)
        labels = [blend(image, mask, self._colors) for mask in (truth, predicted)]
        picture = joined([image, *labels, errors(image, truth, predicted, labelled)])
        write_picture(picture, self._folder / file)
        return Strip(
            name=self._squares.samples[scored.index].name,
            miou=scored.miou,
            wrong_share=float(np.mean(predicted[labelled] != truth[labelled])) if labelled.any() else None,
            figure=f"{self._folder.name}/{file}",
            uri=_data_uri(picture),
        )


def errors(image: Uint8, truth: Uint8, predicted: Uint8, labelled: NDArray[np.bool_]) -> Uint8:
    """The image in dim grey with wrong pixels in red and ignored ones in black, (H, W, 3).

    A pixel of a multilabel task is wrong where any of its classes is.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    picture = (cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB) * _DIM).astype(np.uint8)
    picture[truth != predicted] = _WRONG
    picture[~labelled] = 0
    return picture


def joined(panels: list[Uint8]) -> Uint8:
    """The panels, (S, S, 3) each, side by side at SIDE pixels with white gaps."""
    gap = np.full((SIDE, _GAP, 3), 255, np.uint8)
    shrinks = panels[0].shape[0] > SIDE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    row = [np.asarray(cv2.resize(panel, (SIDE, SIDE), interpolation=method), np.uint8) for panel in panels]
    return np.concatenate([part for panel in row for part in (panel, gap)][:-1], axis=1)


def _data_uri(picture: Uint8) -> str:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()
