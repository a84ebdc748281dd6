"""The Dice loss of classes that exclude one another, without a one-hot mask."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workers.prepared import IGNORE_INDEX

_EPS = 1e-7
"""Least divisor of a class of which neither truth nor prediction has anything."""


class SoftDice(nn.Module):
    """1 - Dice of each class over the batch, averaged over all classes; ignored pixels count nowhere.

    For class c, with p the softmax of the logits, I the sum of p(c) over pixels whose truth is c, S that over
    all labelled pixels and T the number of pixels whose truth is c:

        Dice(c) = (I + smooth) / ((S + T) / 2 + smooth)

    A class without a pixel in the truth costs 0 and still counts in the mean. The value and its gradient are
    those of segmentation_models_pytorch's DiceLoss, from which the formula stems (Milletari et al., "V-Net",
    2016, without squares); one probability is picked per pixel where that one multiplies by a mask of all
    classes, which takes twice the time.
    """

    _weights: Tensor | None

    def __init__(self, weights: Sequence[float] | Tensor | None = None, smooth: float = 0.0) -> None:
        super().__init__()
        kept = None if weights is None else torch.as_tensor(weights, dtype=torch.float32)
        self.register_buffer("_weights", kept, persistent=False)
        self._smooth = smooth

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The scalar loss of logits, (N, C, H, W) float32, and masks, (N, H, W) int64."""
        classes = logits.shape[1]
        probabilities = logits.softmax(dim=1)
        labelled = masks != IGNORE_INDEX
        # One place more than there are classes takes the ignored pixels.
        places = masks.where(labelled, classes).reshape(-1)
        of_truth = probabilities.gather(1, masks.where(labelled, 0).unsqueeze(1)).reshape(-1)
        # In double precision: half a million terms are added up one after the other.
        hits = of_truth.new_zeros(classes + 1, dtype=torch.float64).index_add(0, places, of_truth.double())
        # No matrix product: autocast would take it in 16 bits, and its float32 sum over the four million
        # pixels of 16 images of 512 px is off by 3e-4, where this one's is by 3e-8.
        predicted = (probabilities * labelled.unsqueeze(1)).sum(dim=(0, 2, 3))
        truth = torch.bincount(places, minlength=classes + 1)[:classes]
        score = (hits[:classes] + self._smooth) / ((predicted + truth) / 2 + self._smooth).clamp_min(_EPS)
        return self._mean(((1 - score) * (truth > 0)).to(logits.dtype))

    def _mean(self, losses: Tensor) -> Tensor:
        if self._weights is None:
            return losses.mean()
        return (losses * self._weights).sum() / self._weights.sum()
