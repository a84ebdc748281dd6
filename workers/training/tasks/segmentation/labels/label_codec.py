"""How logits and masks are read: one class per pixel, or, of a multilabel model, several or none.

A multilabel pixel has each class whose probability, the sigmoid of its logit, is above THRESHOLD. Truth and
prediction go about as masks in the prepared form (labels/mask_labels.py): one byte per pixel or, of more than
eight classes of which a pixel may have several, (N, H, W, P).
"""

from typing import Protocol

import torch
from torch import Tensor

from workers.prepared.planes import BITS, planes_of
from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.labels.class_counts import pairs_of_classes
from workers.training.tasks.segmentation.labels.heads import class_logits
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL
from workers.training.tasks.segmentation.labels.metrics import yes_no_counts


class Reading(Protocol):
    """What a task makes of logits (N, C, H, W) and masks (N, H, W) uint8; a binary model has C = 1."""

    def truth(self, masks: Tensor) -> Tensor:
        """What loss and scores compare with: (N, H, W) int64, or (N, C, H, W) float32 of 0 and 1."""
        ...

    def labelled(self, masks: Tensor) -> Tensor:
        """Where masks count, (N, H, W) bool."""
        ...

    def probabilities(self, logits: Tensor) -> Tensor:
        """Of each class, (N, C, H, W) float32 with C at least 2."""
        ...

    def decide(self, logits: Tensor) -> Tensor:
        """The predicted masks, (N, H, W) uint8."""
        ...

    def count(self, predicted: Tensor, masks: Tensor) -> Tensor:
        """Pixels by truth and prediction, int64: (C, C), or (C, 2, 2) of a multilabel task."""
        ...


class OneClass:
    """A pixel has the class of the greatest logit."""

    def __init__(self, classes: int) -> None:
        self._classes = classes

    def truth(self, masks: Tensor) -> Tensor:
        return masks.long()

    def labelled(self, masks: Tensor) -> Tensor:
        return masks != IGNORE_INDEX

    def probabilities(self, logits: Tensor) -> Tensor:
        return class_logits(logits).float().softmax(dim=1)

    def decide(self, logits: Tensor) -> Tensor:
        return class_logits(logits).argmax(dim=1).to(torch.uint8)

    def count(self, predicted: Tensor, masks: Tensor) -> Tensor:
        return pairs_of_classes(predicted.long(), masks.long(), self._classes)


class SeveralClasses:
    """A pixel has every class whose logit is above 0."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._planes = planes_of(classes)

    def truth(self, masks: Tensor) -> Tensor:
        bits = torch.arange(min(self._classes, BITS), dtype=torch.uint8, device=masks.device)
        there = (masks.unsqueeze(-1) >> bits) & 1
        if self._planes > 1:
            there = there.flatten(-2)[..., : self._classes]
        # Channels last in memory, as logits are.
        return there.float().permute(0, 3, 1, 2)

    def labelled(self, masks: Tensor) -> Tensor:
        return torch.ones_like(masks if self._planes == 1 else masks[..., 0], dtype=torch.bool)

    def probabilities(self, logits: Tensor) -> Tensor:
        return logits.float().sigmoid()

    def decide(self, logits: Tensor) -> Tensor:
        return self._packed(logits > 0)

    def count(self, predicted: Tensor, masks: Tensor) -> Tensor:
        return yes_no_counts(self.truth(predicted) > 0, self.truth(masks) > 0)

    def _packed(self, present: Tensor) -> Tensor:
        """(N, C, H, W) bool as (N, H, W) uint8: bit c is class c; or as (N, H, W, P)."""
        values = torch.tensor([1 << bit for bit in range(BITS)], device=present.device).view(1, -1, 1, 1)
        planes = [
            (part * values[:, : part.shape[1]]).sum(dim=1).to(torch.uint8)
            for part in torch.split(present, BITS, dim=1)
        ]
        return planes[0] if self._planes == 1 else torch.stack(planes, dim=-1)


def reading_of(task: str, classes: int) -> Reading:
    """The reading of a model's task with so many classes, those of a binary model being two."""
    return SeveralClasses(classes) if task == MULTILABEL else OneClass(classes)
