"""Scores per class from a pixel confusion matrix."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from workers.training.tasks.segmentation.labels.metrics import hits_and_totals, scores_of

Score = float | None
"""A score from 0 to 1, or None where it is not defined."""


@dataclass(frozen=True, kw_only=True)
class PixelScores:
    """Scores of one class; None where a denominator is zero.

    `truth_share` and `predicted_share` are its shares of all labelled pixels, in truth and in prediction.
    """

    iou: Score
    dice: Score
    precision: Score
    recall: Score
    truth_share: Score
    predicted_share: Score


def pixel_scores(counts: Tensor) -> list[PixelScores]:
    """The scores of each class of a confusion matrix, (C, C) int64, truth in rows; or of (C, 2, 2)."""
    dice, iou = scores_of(counts)
    hits, truth, predicted = hits_and_totals(counts)
    total = int(counts.sum()) if counts.ndim == 2 else int(counts[0].sum())
    return [
        PixelScores(
            iou=iou[place],
            dice=dice[place],
            precision=share(hits[place], predicted[place]),
            recall=share(hits[place], truth[place]),
            truth_share=share(truth[place], total),
            predicted_share=share(predicted[place], total),
        )
        for place in range(len(hits))
    ]


def pixel_accuracy(counts: Tensor) -> Score:
    """The share of labelled pixels whose class is right; None where no pixel is labelled.

    Of a multilabel task the share of right answers, of which each pixel has one per class.
    """
    return share(int(counts.diagonal(dim1=-2, dim2=-1).sum()), int(counts.sum()))


def normalised(counts: Tensor) -> list[Any]:
    """Each row of a matrix, or of each matrix, as shares of its truth; None throughout an empty row."""
    if counts.ndim == 3:
        return [normalised(matrix) for matrix in counts]
    rows: list[list[int]] = counts.tolist()
    return [[share(count, sum(row)) for count in row] for row in rows]


def share(part: int, whole: int) -> Score:
    """`part / whole`, None of nothing."""
    return part / whole if whole else None


def mean(values: list[Score]) -> Score:
    """The mean of the defined values, None where none is."""
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
