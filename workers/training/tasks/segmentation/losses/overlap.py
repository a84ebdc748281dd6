"""The losses of overlap, Dice, Jaccard and Tversky, which are one formula with other weights.

For class c, with p its probability, I the sum of p over pixels whose truth is c, S that over all labelled
pixels and T the number of pixels whose truth is c:

    score(c) = (I + smooth) / (I + alpha (S - I) + beta (T - I) + smooth)

alpha = beta = 1/2 is Dice, (I + smooth) / ((S + T) / 2 + smooth) (Milletari et al., "V-Net", 2016, without
squares), 1 is Jaccard, anything else Tversky (Salehi et al., 2017). The loss is the mean of 1 - score over
all classes, to the power of gamma; a class without a pixel in the truth costs 0 and still counts in the mean.

Values and gradients are those of segmentation_models_pytorch, whose sums lose digits: of four million pixels
its losses are off by up to 1e-4 in float32, these by less than 2e-6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainyard.spec.training_spec import LossSpec
from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.labels.class_counts import sums_of_classes

_EPS = 1e-7
"""Least divisor of a class of which neither truth nor prediction has anything."""
_LEAST = 1e-12
"""Least base of a power below 1, whose slope at 0 is infinite."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """The weights of what is predicted and not true, and of what is true and not predicted."""

    alpha: float = 0.5
    beta: float = 0.5
    gamma: float = 1.0
    smooth: float = 0.0

    def losses(self, hits: Tensor, predicted: Tensor, truth: Tensor) -> Tensor:
        """The loss of each class, (C,), of its I, S and T, each (C,)."""
        whole = hits + self.alpha * (predicted - hits) + self.beta * (truth - hits) + self.smooth
        return (1 - (hits + self.smooth) / whole.clamp_min(_EPS)) * (truth > 0)

    def powered(self, loss: Tensor) -> Tensor:
        """A mean loss to the power of gamma; one of 0 has no slope."""
        if self.gamma == 1:
            return loss
        return (loss.clamp_min(_LEAST) ** self.gamma).where(loss > 0, loss)


OVERLAPS = {"dice": 0.5, "jaccard": 1.0, "tversky": 0.5}
"""Losses of overlap, and their alpha and beta where no parameter gives them."""


def overlap_of(term: LossSpec) -> Overlap:
    """What a term of a spec with one of these names asks for."""
    usual = OVERLAPS[term.name]
    return Overlap(**{"alpha": usual, "beta": usual, **term.params})


class ClassOverlap(nn.Module):
    """Of classes that exclude one another."""

    _weights: Tensor | None

    def __init__(self, overlap: Overlap, weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__()
        kept = None if weights is None else torch.as_tensor(weights, dtype=torch.float32)
        self.register_buffer("_weights", kept, persistent=False)
        self._overlap = overlap

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The scalar loss of logits, (N, C, H, W) float32, and masks, (N, H, W) int64."""
        sums = sums_of_classes(logits.softmax(dim=1), masks)
        losses = self._overlap.losses(*sums).to(logits.dtype)
        return self._overlap.powered(self._mean(losses))

    def _mean(self, losses: Tensor) -> Tensor:
        if self._weights is None:
            return losses.mean()
        return (losses * self._weights).sum() / self._weights.sum()


class YesNoOverlap(nn.Module):
    """Of classes that are each a yes or no: one in a binary task, any number in a multilabel one."""

    def __init__(self, overlap: Overlap) -> None:
        super().__init__()
        self._overlap = overlap

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """The scalar loss of logits and truth as `yes_no_sums` takes them."""
        hits, predicted, present = yes_no_sums(logits, truth)
        losses = self._overlap.losses(hits, predicted, present).to(logits.dtype)
        return self._overlap.powered(losses.mean())


def yes_no_sums(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each class, (C,) float64: its probability where it is true, that over all labelled pixels, and how
    many pixels it has.

    `logits` is (N, C, H, W) float32 and `truth` of that shape, 0 and 1. Of a binary task truth are masks,
    (N, H, W) int64 with IGNORE_INDEX.
    """
    chances = logits.sigmoid()
    if truth.ndim < logits.ndim:
        masks = truth.unsqueeze(1)
        chances, truth = chances * (masks != IGNORE_INDEX), (masks == 1).to(chances.dtype)
    hits, predicted, present = (
        part.sum(dim=(0, 2, 3)).double() for part in (chances * truth, chances, truth)
    )
    return hits, predicted, present
