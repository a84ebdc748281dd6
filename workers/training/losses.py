"""The loss: a weighted sum of terms, each blind to ignored pixels.

Those of overlap leave ignored pixels out themselves. Of segmentation_models_pytorch's, Focal gives NaN where
nothing is labelled, and MCC knows no ignoring and takes probabilities; these and Lovasz see labelled pixels
only. Its cross-entropies ignore, but divide by all pixels, so the terms here are torch's.
"""

from collections.abc import Sequence
from typing import Any

import segmentation_models_pytorch.losses as smp_losses
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainyard.spec import LossSpec, OptimizationSpec
from trainyard.spec_checks import weighing_losses
from workers.prepared import IGNORE_INDEX
from workers.training.full_precision import InFullPrecision, widened, without_autocast
from workers.training.labels import MULTILABEL
from workers.training.lovasz import LovaszHinge, LovaszSoftmax
from workers.training.multilabel_losses import OfProbabilities, build_multilabel_loss
from workers.training.overlap import OVERLAPS, ClassOverlap, YesNoOverlap, overlap_of


class WeightedLosses(nn.Module):
    """The sum of a spec's losses; `class_weights` has one weight per class, None weighs all alike."""

    def __init__(self, spec: OptimizationSpec, task: str, class_weights: Sequence[float] | None) -> None:
        super().__init__()
        self._terms = nn.ModuleList(build_loss(term, task, class_weights) for term in spec.losses)
        self._factors = [term.weight for term in spec.losses]

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The scalar loss of logits, (N, C, H, W), and masks, (N, H, W) int64 with IGNORE_INDEX.

        C is 1 for a binary task; masks of a multilabel one are (N, C, H, W), 0 and 1. Mixed precision leaves
        the logits in 16 bits, too coarse for a mean of thousands of terms, so the loss is taken in float32,
        under autocast too. A batch without a labelled pixel costs 0.
        """
        with without_autocast(logits.device):
            exact = widened(logits)
            total = exact.new_zeros(())
            for term, factor in zip(self._terms, self._factors, strict=True):
                total = total + factor * term(exact, masks)
        return total


def build_loss(term: LossSpec, task: str, class_weights: Sequence[float] | None) -> nn.Module:
    """One term, which maps logits and masks, as above, to a float32 scalar."""
    return InFullPrecision(_bare_loss(term, task, class_weights))


def _bare_loss(term: LossSpec, task: str, class_weights: Sequence[float] | None) -> nn.Module:
    if task == MULTILABEL:
        return build_multilabel_loss(term, class_weights)
    weights = None
    if class_weights is not None and term.name in weighing_losses(task):
        weights = torch.tensor(class_weights, dtype=torch.float32)
    params: dict[str, Any] = dict(term.params)
    if term.name == "cross_entropy" and task == "multiclass":
        return CrossEntropy(weights, **params)
    if term.name in ("cross_entropy", "bce"):
        return BinaryCrossEntropy(weights, **params)
    if term.name in OVERLAPS:
        # Class weights mean something in a multiclass task alone.
        overlap = overlap_of(term)
        return ClassOverlap(overlap, weights) if task == "multiclass" else YesNoOverlap(overlap)
    if term.name == "focal":
        return OnLabelled(smp_losses.FocalLoss(task, class_weights=weights, **params))
    if term.name == "lovasz":
        return OnLabelled(LovaszHinge() if task == "binary" else LovaszSoftmax())
    return OnLabelled(OfProbabilities())


class CrossEntropy(nn.Module):
    """Mean cross-entropy over labelled pixels, each weighted by its class."""

    _weights: Tensor | None

    def __init__(self, weights: Tensor | None, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("_weights", weights, persistent=False)
        self._smoothing = label_smoothing

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        entropy = F.cross_entropy(
            logits,
            masks,
            weight=self._weights,
            ignore_index=IGNORE_INDEX,
            reduction="sum",
            label_smoothing=self._smoothing,
        )
        return entropy / _pixel_weights(masks, self._weights).sum().clamp(min=_LEAST)


class BinaryCrossEntropy(nn.Module):
    """Mean binary cross-entropy over labelled pixels, each weighted by its class.

    With one logit, that of the second class. With more, each class is asked for by itself, one against the
    rest, and the mean is over classes as well.
    """

    _weights: Tensor | None

    def __init__(self, weights: Tensor | None, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("_weights", weights, persistent=False)
        self._smoothing = label_smoothing

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        pixels = _pixel_weights(masks, self._weights)
        truth = masks.where(masks != IGNORE_INDEX, 0)
        channels = logits.shape[1]
        if channels == 1:
            targets = truth.unsqueeze(1).float()
        else:
            targets = F.one_hot(truth, channels).permute(0, 3, 1, 2).float()
        targets = targets * (1 - 2 * self._smoothing) + self._smoothing
        entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=1)
        return (entropy * pixels).sum() / pixels.sum().clamp(min=_LEAST)


class OnLabelled(nn.Module):
    """Gives a loss the labelled pixels alone, as one row: (1, C, 1, P) and (1, 1, P)."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self._loss = loss

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        labelled = masks != IGNORE_INDEX
        if not labelled.any():
            return logits.sum() * 0
        seen = logits.permute(0, 2, 3, 1)[labelled].T[None, :, None]
        loss: Tensor = self._loss(seen, masks[labelled][None, None])
        return loss


_LEAST = 1e-12
"""Least divisor, for a batch whose labelled pixels weigh nothing; the dividend is then 0 as well."""


def _pixel_weights(masks: Tensor, weights: Tensor | None) -> Tensor:
    """The weight of each pixel, (N, H, W) float32; 0 where ignored."""
    labelled = masks != IGNORE_INDEX
    if weights is None:
        return labelled.float()
    return weights[masks.where(labelled, 0)] * labelled
