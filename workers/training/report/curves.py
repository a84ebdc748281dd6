"""ROC and precision-recall of each class against the rest, of pixels from histograms of fixed size.

A pixel's score for a class is the class's probability p, kept as one of BINS bins of equal width in log-odds,
ln(p / (1 - p)), from -LIMIT to LIMIT: steps of 1/32, fine near 0 and 1, where most probabilities lie. Scores
in one bin count as equal. The numbers are therefore exact for scores so rounded: no threshold between two
log-odds closer than 1/32 (at p = 0.5, closer than 0.008) is told apart. Memory is C x BINS x 2 counts,
whatever the number of images.

Over the bins, from the highest down, with TP and FP the pixels of the class and of the rest so far:

    ROC: TP / positives against FP / negatives; its area by trapezoids
    PR:  precision TP / (TP + FP) against recall TP / positives
    AP = sum of (recall - recall before) * precision
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BINS = 1024
LIMIT = 16.0
"""The greatest log-odds told apart; a float32 knows no probability closer to 1."""

_NEAREST = 0.01
"""Points of a drawn curve that lie closer together than this are left out."""

Points = list[tuple[float, float]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClassCurves:
    """Curves of one class, thinned for drawing, and their areas, which are not.

    `roc` is (false positive rate, true positive rate), `pr` (recall, precision). All are None or empty where
    the class has no pixel, the ROC too where it has every pixel.
    """

    roc_auc: float | None
    average_precision: float | None
    roc: Points
    pr: Points


def bins_of(probabilities: Tensor) -> Tensor:
    """The bin, int64 from 0 to BINS - 1, of each probability."""
    log_odds = torch.logit(probabilities.float(), eps=1e-7)
    return ((log_odds + LIMIT) * (BINS / (2 * LIMIT))).floor().long().clamp(0, BINS - 1)


class CurveScores:
    """Adds up two histograms per class."""

    def __init__(self, classes: int) -> None:
        self._all = np.zeros((classes, BINS), np.int64)
        self._positive = np.zeros((classes, BINS), np.int64)

    def add(self, probabilities: Tensor, truth: Tensor) -> None:
        """Take the labelled pixels of an image: (C, P) float32, and their classes.

        Those are (P,) int64, or (C, P) of 0 and 1 of a multilabel task.
        """
        for index, scores in enumerate(probabilities):
            places = bins_of(scores)
            self._all[index] += _histogram(places)
            self._positive[index] += _histogram(
                places[truth == index if truth.ndim == 1 else truth[index] > 0]
            )

    def compute(self) -> list[ClassCurves]:
        """The curves of each class."""
        return [
            curves_of(positive.astype(np.float64), (every - positive).astype(np.float64))
            for every, positive in zip(self._all, self._positive, strict=True)
        ]


def _histogram(places: Tensor) -> NDArray[np.int64]:
    return np.asarray(torch.bincount(places, minlength=BINS).cpu().numpy(), np.int64)


def exact_curves(scores: NDArray[Any], positive: NDArray[np.bool_]) -> ClassCurves:
    """Those of one class from the score of each image, (N,), and whether it has the class: no scores are
    taken for equal that differ."""
    values, places = np.unique(scores, return_inverse=True)
    hits = np.bincount(places[positive], minlength=len(values)).astype(np.float64)
    return curves_of(hits, np.bincount(places, minlength=len(values)) - hits)


def curves_of(positive: Floats, negative: Floats) -> ClassCurves:
    """From the histograms of the class's own and of the rest, over scores that rise: each (scores,)."""
    used = (positive + negative)[::-1] > 0
    hits, alarms = np.cumsum(positive[::-1])[used], np.cumsum(negative[::-1])[used]
    if not len(hits) or not hits[-1]:
        return ClassCurves(roc_auc=None, average_precision=None, roc=[], pr=[])
    recall, precision = hits / hits[-1], hits / (hits + alarms)
    average = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    pr = thinned(np.r_[0.0, recall], np.r_[precision[0], precision])
    if not alarms[-1]:
        return ClassCurves(roc_auc=None, average_precision=average, roc=[], pr=pr)
    x, y = np.r_[0.0, alarms / alarms[-1]], np.r_[0.0, recall]
    return ClassCurves(roc_auc=float(np.trapezoid(y, x)), average_precision=average, roc=thinned(x, y), pr=pr)


def thinned(x: Floats, y: Floats) -> Points:
    """The curve's points but those too close to the last one kept; the first and the last stay."""
    kept: Points = []
    for place, point in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        far = not kept or max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= _NEAREST
        if far or place == len(x) - 1:
            kept.append(point)
    return [(round(a, 5), round(b, 5)) for a, b in kept]
