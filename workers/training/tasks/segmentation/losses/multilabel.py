"""The losses of multilabel tasks: each class is a yes or no of its own, and the loss their mean.

Logits and truth are (N, C, H, W); no pixel is ignored. Focal is that of segmentation_models_pytorch in its
multilabel mode. Lovasz sees one class at a time.
"""

from collections.abc import Sequence
from typing import Any

import segmentation_models_pytorch.losses as smp_losses
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainyard.spec.training_spec import LossSpec
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL
from workers.training.tasks.segmentation.losses.correlation import Correlation
from workers.training.tasks.segmentation.losses.lovasz import LovaszHinge
from workers.training.tasks.segmentation.losses.overlap import OVERLAPS, YesNoOverlap, overlap_of


def build_multilabel_loss(term: LossSpec, class_weights: Sequence[float] | None) -> nn.Module:
    """One term, which maps float32 logits and truth to a scalar; only the cross-entropy takes weights."""
    params: dict[str, Any] = dict(term.params)
    if term.name in ("cross_entropy", "bce"):
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        return ClassCrossEntropies(weights, **params)
    if term.name in OVERLAPS:
        return YesNoOverlap(overlap_of(term))
    if term.name == "focal":
        return Laid(smp_losses.FocalLoss(MULTILABEL, **params))
    return EachClass(LovaszHinge()) if term.name == "lovasz" else Correlation()


class ClassCrossEntropies(nn.Module):
    """Mean binary cross-entropy over pixels and classes.

    The weight of a class multiplies the cost of the pixels that have it, those without it cost the same:
    torch's `pos_weight`.
    """

    _weights: Tensor | None

    def __init__(self, weights: Tensor | None, label_smoothing: float = 0.0) -> None:
        super().__init__()
        shaped = None if weights is None else weights.view(-1, 1, 1)
        self.register_buffer("_weights", shaped, persistent=False)
        self._smoothing = label_smoothing

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        targets = truth * (1 - 2 * self._smoothing) + self._smoothing
        return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=self._weights)


class Laid(nn.Module):
    """Gives a loss what it flattens in the order of its shape, which channels-last tensors are not in."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self._loss = loss

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        loss: Tensor = self._loss(logits.contiguous(), truth.contiguous())
        return loss


class EachClass(nn.Module):
    """The mean, over classes, of a loss of one logit."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self._loss = loss

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        pairs = zip(logits.unbind(dim=1), truth.unbind(dim=1), strict=True)
        return torch.stack([self._loss(logit, present) for logit, present in pairs]).mean()
