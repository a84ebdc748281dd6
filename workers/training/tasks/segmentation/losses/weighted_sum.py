"""The loss: a weighted sum of terms, each blind to ignored pixels.

None is segmentation_models_pytorch's own: its Focal gives NaN where nothing is labelled, its MCC knows no
ignoring, its cross-entropies divide by all pixels, and those that ignore pick pixels out, for which the host
has to wait for a GPU. The terms here look at no number of the batch.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import LossSpec, OptimizationSpec
from trainyard.tasks.segmentation import weighing_losses
from workers.plugins.made import offered_loss
from workers.training.compute.full_precision import InFullPrecision, widened, without_autocast
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL
from workers.training.tasks.segmentation.losses.correlation import Correlation
from workers.training.tasks.segmentation.losses.lovasz import LovaszHinge, LovaszSoftmax
from workers.training.tasks.segmentation.losses.multilabel import build_multilabel_loss
from workers.training.tasks.segmentation.losses.overlap import (
    OVERLAPS,
    ClassOverlap,
    YesNoOverlap,
    overlap_of,
)
from workers.training.tasks.segmentation.losses.pixels import BinaryCrossEntropy, CrossEntropy, Focal


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
    if is_offered_name(term.name):
        return offered_loss(term, task, class_weights)
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
        return Focal(weights, **params)
    if term.name == "lovasz":
        return LovaszHinge() if task == "binary" else LovaszSoftmax()
    return Correlation()
