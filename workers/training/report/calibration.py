"""Whether a network is right as often as it says.

Expected calibration error over answers, of labelled pixels or of images, after Guo et al., "On calibration of
modern neural networks" (ICML 2017): they are put into BINS equal bins by the probability p of the predicted
class;

    ECE = sum over bins of (answers in bin / answers) * |share right in bin - mean p in bin|
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BINS = 15
"""Bins of equal width from 0 to 1; a bin holds its lower edge, the last its upper too."""


@dataclass(frozen=True, kw_only=True)
class CalibrationBin:
    """Pixels whose confidence is in [low, high); `confidence` and `accuracy` are None in an empty bin."""

    low: float
    high: float
    pixels: int
    confidence: float | None
    accuracy: float | None


class CalibrationScores:
    """Adds up three numbers per bin."""

    def __init__(self) -> None:
        self._sums = torch.zeros(3, BINS, dtype=torch.float64)

    def add(self, probabilities: Tensor, truth: Tensor) -> None:
        """Take the labelled pixels of an image: (C, P) float32, and their classes.

        Those are (P,) int64, or (C, P) of 0 and 1 of a multilabel task: there each class of a pixel counts by
        itself, as a yes or no that is sure by p or 1 - p.
        """
        if truth.ndim == 2:
            yes, truth = probabilities.flatten(), truth.flatten().long()
            probabilities = torch.stack([1 - yes, yes])
        confidence, predicted = probabilities.max(dim=0)
        places = (confidence * BINS).long().clamp(max=BINS - 1)
        weights = (torch.ones_like(confidence), confidence, predicted == truth)
        sums = [torch.bincount(places, weight.double(), BINS) for weight in weights]
        self._sums += torch.stack(sums).cpu()

    def bins(self) -> list[CalibrationBin]:
        """All bins, from the least confidence up."""
        made = []
        for place, (pixels, confidence, right) in enumerate(self._sums.T.tolist()):
            made.append(
                CalibrationBin(
                    low=place / BINS,
                    high=(place + 1) / BINS,
                    pixels=int(pixels),
                    confidence=confidence / pixels if pixels else None,
                    accuracy=right / pixels if pixels else None,
                )
            )
        return made

    def error(self) -> float | None:
        """The expected calibration error, 0 to 1; None without pixels."""
        pixels, confidence, right = self._sums
        if not pixels.sum():
            return None
        return float((right - confidence).abs().sum() / pixels.sum())
