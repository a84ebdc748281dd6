"""Losses of a spec on logits (N, C) and how much of each class an image is, (N, C) from 0 to 1."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import LossSpec, OptimizationSpec
from trainyard.tasks.classification import MULTILABEL
from workers.plugins.made import offered_loss
from workers.training.compute.full_precision import InFullPrecision
from workers.training.tasks.classification.labels.targets import as_shares

_GAMMA = 2.0


class WeightedLosses(nn.Module):
    """The sum of a spec's losses, scalar; `class_weights` has one number per class, None weighs all alike."""

    def __init__(self, spec: OptimizationSpec, form: str, class_weights: Sequence[float] | None) -> None:
        super().__init__()
        self._terms = [(term.weight, _loss(term, form, class_weights)) for term in spec.losses]
        self._modules_of_terms = nn.ModuleList(loss for _, loss in self._terms)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """`truth` is (N,) int64 or (N, C) float32."""
        shares = as_shares(truth, logits.shape[1])
        losses: list[Tensor] = [weight * loss(logits, shares) for weight, loss in self._terms]
        return torch.stack(losses).sum()


class _Loss(nn.Module):
    """One that may weigh classes."""

    _weights: Tensor | None

    def __init__(self, class_weights: Sequence[float] | None) -> None:
        super().__init__()
        given = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("_weights", given, persistent=False)

    def of_classes(self, per_class: Tensor, shares: Tensor) -> Tensor:
        """The mean over images of what (N, C) each class of each costs, an image counting by its classes'
        weights."""
        if self._weights is None:
            return per_class.sum() / len(per_class)
        # At least a little, where a batch has nothing but classes of weight 0.
        return (per_class * self._weights).sum() / (shares * self._weights).sum().clamp(min=1e-6)


class CrossEntropy(_Loss):
    """-sum of t log p over the classes, t being smoothed: (1 - s) t + s / C."""

    def __init__(self, class_weights: Sequence[float] | None, label_smoothing: float = 0.0) -> None:
        super().__init__(class_weights)
        self._smoothing = label_smoothing

    def forward(self, logits: Tensor, shares: Tensor) -> Tensor:
        smoothed = shares * (1 - self._smoothing) + self._smoothing / shares.shape[1]
        return self.of_classes(-smoothed * logits.log_softmax(dim=1), shares)


class YesNo(_Loss):
    """Binary cross-entropy of each class by itself, the mean over images and classes; weights are of a yes.

    Targets are smoothed to (1 - s) t + s / 2, of classes that exclude each other to (1 - s) t + s / C.
    """

    def __init__(
        self, class_weights: Sequence[float] | None, exclusive: bool, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(class_weights)
        self._exclusive = exclusive
        self._smoothing = label_smoothing

    def forward(self, logits: Tensor, shares: Tensor) -> Tensor:
        likely = self._smoothing / (shares.shape[1] if self._exclusive else 2)
        smoothed = shares * (1 - self._smoothing) + likely
        return F.binary_cross_entropy_with_logits(logits, smoothed, pos_weight=self._weights)


class Focal(_Loss):
    """Cross-entropy in which a class counts by (1 - p) ** gamma: Lin et al., "Focal loss for dense object
    detection", 2017. Of classes that do not exclude each other, yes and no are each such, and alpha is how
    much of the weight a yes has."""

    def __init__(
        self,
        class_weights: Sequence[float] | None,
        exclusive: bool,
        gamma: float = _GAMMA,
        alpha: float | None = None,
    ) -> None:
        super().__init__(class_weights)
        self._exclusive = exclusive
        self._gamma = gamma
        self._alpha = alpha

    def forward(self, logits: Tensor, shares: Tensor) -> Tensor:
        if self._exclusive:
            log_p = logits.log_softmax(dim=1)
            return self.of_classes(-shares * (1 - log_p.exp()) ** self._gamma * log_p, shares)
        p = logits.sigmoid()
        costs = F.binary_cross_entropy_with_logits(logits, shares, pos_weight=self._weights, reduction="none")
        wrong = p * (1 - shares) + (1 - p) * shares
        weight = 1.0 if self._alpha is None else self._alpha * shares + (1 - self._alpha) * (1 - shares)
        return (weight * wrong**self._gamma * costs).mean()


def _loss(term: LossSpec, form: str, class_weights: Sequence[float] | None) -> nn.Module:
    exclusive = form != MULTILABEL
    if is_offered_name(term.name):
        return InFullPrecision(offered_loss(term, form, class_weights))
    if term.name == "cross_entropy":
        return InFullPrecision(CrossEntropy(class_weights, **term.params))
    kind = YesNo if term.name == "bce" else Focal
    return InFullPrecision(kind(class_weights, exclusive, **term.params))
