"""Scores of an epoch, from one confusion matrix over all of its pixels.

For class c, with TP, FP and FN counted over every labelled pixel of the epoch:

    IoU(c)  = TP / (TP + FP + FN)
    Dice(c) = 2 TP / (2 TP + FP + FN)

Of a multilabel task each class has TP, FP and FN of its own, counted over every pixel.
mIoU and Dice are the means over the classes that occur in truth or prediction. A class that occurs in
neither has no score (None) and is left out of the mean. Pixels of IGNORE_INDEX are not counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workers.training.compute.full_precision import widened, without_autocast
from workers.training.epochs.objective import Row
from workers.training.tasks.segmentation.labels.class_counts import pairs_of_classes
from workers.training.tasks.segmentation.labels.heads import class_logits
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores from 0 to 1; `iou` has one per class, None where the class does not occur."""

    loss: float | None
    dice: float | None
    miou: float | None
    iou: tuple[float | None, ...]


def confusion(logits: Tensor, masks: Tensor) -> Tensor:
    """Count pixels by truth (rows) and prediction (columns): (C, C) int64.

    `logits` is (N, C, H, W), or (N, 1, H, W) of a binary network; `masks` (N, H, W) int64. The maximum is
    taken along the last axis of the channels-last view, which is contiguous and several times quicker than
    along axis 1. Where `masks` is (N, C, H, W), of a multilabel task, there is a matrix for each class.
    """
    if masks.ndim == logits.ndim:
        return yes_no_counts(logits > 0, masks > 0)
    per_class = class_logits(logits)
    return pairs_of_classes(per_class.permute(0, 2, 3, 1).argmax(dim=-1), masks, per_class.shape[1])


def yes_no_counts(predicted: Tensor, truth: Tensor) -> Tensor:
    """A matrix for each class: (C, 2, 2) int64, absent before present; both are (N, C, H, W) bool."""
    hits = (predicted & truth).sum(dim=(0, 2, 3))
    claimed, present = predicted.sum(dim=(0, 2, 3)), truth.sum(dim=(0, 2, 3))
    pixels = truth.numel() // truth.shape[1]
    rest = pixels - claimed - present + hits
    return torch.stack([rest, claimed - hits, present - hits, hits], dim=1).reshape(-1, 2, 2)


def no_counts(classes: int, task: str) -> Tensor:
    """The matrix, or matrices, of no pixel."""
    shape = (classes, 2, 2) if task == MULTILABEL else (classes, classes)
    return torch.zeros(shape, dtype=torch.int64)


class EpochScores:
    """Adds up batches on their own device; nothing is read back before `compute`."""

    def __init__(self, classes: int, task: str = "multiclass", names: Sequence[str] = ()) -> None:
        """`names` are those of the classes, which a `row` needs."""
        self._classes = classes
        self._names = names
        self._task = task
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._confusion: Tensor | None = None
        self._loss: Tensor | None = None
        self._images = 0

    def state(self) -> dict[str, Any]:
        """What `load_state` goes on from."""
        return {"confusion": self._confusion, "loss": self._loss, "images": self._images}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from the batches of a `state`; tensors follow the next batch to its device."""
        self._confusion, self._loss, self._images = state["confusion"], state["loss"], state["images"]

    def update(self, logits: Tensor, masks: Tensor, loss: Tensor) -> None:
        """Add a batch: logits (N, C, H, W), masks as `confusion` takes them, its scalar mean loss."""
        with without_autocast(logits.device):
            counts, weighted = confusion(logits, masks), widened(loss.detach()) * len(masks)
        self._confusion = counts if self._confusion is None else self._confusion.to(counts.device) + counts
        self._loss = weighted if self._loss is None else self._loss.to(weighted.device) + weighted
        self._images += len(masks)

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        """Take in the batches of all ranks; `add_up` is the sum of a tensor over them."""
        counts = no_counts(self._classes, self._task).to(device)
        own = torch.zeros((), device=device) if self._loss is None else self._loss.float().to(device)
        # Counts of a checkpoint lie on the CPU until a batch has moved them, where NCCL cannot add them up.
        self._confusion = add_up(counts if self._confusion is None else self._confusion.to(device))
        self._loss = add_up(own)
        self._images = int(add_up(torch.tensor(self._images, device=device)))

    def compute(self) -> Scores:
        """The scores of all batches so far; the loss is the mean over images."""
        if self._confusion is None or self._loss is None or not self._images:
            return Scores(loss=None, dice=None, miou=None, iou=(None,) * self._classes)
        dice, iou = scores_of(self._confusion)
        return Scores(loss=float(self._loss) / self._images, dice=_mean(dice), miou=_mean(iou), iou=iou)

    def row(self) -> Row:
        """The same by the name of each, the IoU of a class as `iou/<its name>`."""
        scores = self.compute()
        classes = zip(self._names, scores.iou, strict=True)
        means = {"loss": scores.loss, "dice": scores.dice, "miou": scores.miou}
        return means | {f"iou/{name}": iou for name, iou in classes}


def scores_of(counts: Tensor) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Dice and IoU of each class of `confusion`; None where a class does not occur."""
    hits, truth, predicted = hits_and_totals(counts)
    both = [t + p for t, p in zip(truth, predicted, strict=True)]
    dice = tuple(2 * hit / total if total else None for hit, total in zip(hits, both, strict=True))
    iou = tuple(hit / (total - hit) if total else None for hit, total in zip(hits, both, strict=True))
    return dice, iou


def hits_and_totals(counts: Tensor) -> tuple[list[int], list[int], list[int]]:
    """Of each class of `confusion`: pixels found, pixels in truth, pixels in prediction."""
    if counts.ndim == 3:
        found = (counts[:, 1, 1], counts[:, 1].sum(dim=1), counts[:, :, 1].sum(dim=1))
    else:
        found = (counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0))
    hits, truth, predicted = (part.tolist() for part in found)
    return hits, truth, predicted


def _mean(values: tuple[float | None, ...]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
