"""Losses that are means over labelled pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.prepared.version import IGNORE_INDEX


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
        targets = _targets(masks, logits.shape[1]).to(logits.dtype)
        targets = targets * (1 - 2 * self._smoothing) + self._smoothing
        entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=1)
        return (entropy * pixels).sum() / pixels.sum().clamp(min=_LEAST)


class Focal(nn.Module):
    """Mean focal loss over labelled pixels: binary cross-entropy, times (1 - p) ^ gamma for p the probability
    of what is true (Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017).

    `alpha` weighs pixels that have the class, 1 - alpha those without; None weighs all alike. With more than
    one logit each class is asked for by itself, and the mean over classes is weighted. Values and gradients
    are those of segmentation_models_pytorch.
    """

    _weights: Tensor | None

    def __init__(self, weights: Tensor | None, gamma: float = 2.0, alpha: float | None = None) -> None:
        super().__init__()
        self.register_buffer("_weights", weights, persistent=False)
        self._gamma = gamma
        self._alpha = alpha

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        labelled = (masks != IGNORE_INDEX).unsqueeze(1)
        # Where nothing is labelled no slope may be infinite, which one of an exponent below 1 can be.
        known, targets = logits.where(labelled, 0), _targets(masks, logits.shape[1]).to(logits.dtype)
        entropy = F.binary_cross_entropy_with_logits(known, targets, reduction="none")
        focal = (1 - torch.exp(-entropy)) ** self._gamma * entropy
        if self._alpha is not None:
            focal = focal * (self._alpha * targets + (1 - self._alpha) * (1 - targets))
        of_class = (focal * labelled).sum(dim=(0, 2, 3)) / labelled.sum().clamp(min=1)
        if self._weights is None:
            return of_class.mean()
        return (of_class * self._weights).sum() / self._weights.sum()


_LEAST = 1e-12
"""Least divisor, for a batch whose labelled pixels weigh nothing; the dividend is then 0 as well."""


def _pixel_weights(masks: Tensor, weights: Tensor | None) -> Tensor:
    """The weight of each pixel, (N, H, W) float32; 0 where ignored."""
    labelled = masks != IGNORE_INDEX
    if weights is None:
        return labelled.float()
    return weights[masks.where(labelled, 0)] * labelled


def _targets(masks: Tensor, channels: int) -> Tensor:
    """Where each class is true, (N, channels, H, W) bool; where there is one channel, the second class."""
    classes = torch.arange(channels, device=masks.device) if channels > 1 else masks.new_ones(1)
    return (masks.unsqueeze(-1) == classes).permute(0, 3, 1, 2)
