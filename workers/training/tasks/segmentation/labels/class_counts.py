"""Sums over the pixels of each class, in the form that is quick on the device at hand.

A CPU adds each pixel to the place of its class. On a GPU that is millions of atomic additions to a handful of
addresses, one after the other, and counting so makes the host wait for the device: there each class is
compared with every pixel and the results added up, which takes no longer than memory is read.
"""

import torch
from torch import Tensor

from workers.prepared.version import IGNORE_INDEX
from workers.training.compute.devices import BY_PLACE

_AT_ONCE = 2**26
"""Numbers that a comparison of pixels with classes may make at a time."""


def sums_of_classes(probabilities: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each class, (C,) float64: its probability over its own pixels, that over all labelled ones, and how
    many pixels it has.

    `probabilities` is (N, C, H, W) float32, `masks` (N, H, W) int64 with IGNORE_INDEX.
    """
    form = _sums_by_place if probabilities.device.type in BY_PLACE else _sums_by_comparison
    hits, truth = form(probabilities, masks)
    # No matrix product: autocast would take it in 16 bits, and its float32 sum over the four million
    # pixels of 16 images of 512 px is off by 3e-4, where this one's is by 3e-8.
    predicted = (probabilities * (masks != IGNORE_INDEX).unsqueeze(1)).sum(dim=(0, 2, 3))
    return hits.double(), predicted.double(), truth.double()


def pairs_of_classes(predicted: Tensor, masks: Tensor, classes: int) -> Tensor:
    """(C, C) int64: pixels by truth (rows) and prediction (columns), both (N, H, W) int64; ignored ones are
    left out."""
    form = _pairs_by_place if masks.device.type in BY_PLACE else _pairs_by_comparison
    return form(predicted, masks, classes)


def _sums_by_place(probabilities: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """One probability is picked per pixel: a one-hot mask takes twice the time."""
    classes = probabilities.shape[1]
    labelled = masks != IGNORE_INDEX
    # One place more than there are classes takes the ignored pixels.
    places = masks.where(labelled, classes).reshape(-1)
    of_truth = probabilities.gather(1, masks.where(labelled, 0).unsqueeze(1)).reshape(-1)
    # In double precision: half a million terms are added up one after the other.
    hits = of_truth.new_zeros(classes + 1, dtype=torch.float64).index_add(0, places, of_truth.double())
    return hits[:classes], torch.bincount(places, minlength=classes + 1)[:classes]


def _sums_by_comparison(probabilities: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    # Channels last in memory, as logits are.
    is_class = _one_hot(masks, probabilities.shape[1]).permute(0, 3, 1, 2)
    return (probabilities * is_class).sum(dim=(0, 2, 3)), is_class.sum(dim=(0, 2, 3))


def _pairs_by_place(predicted: Tensor, masks: Tensor, classes: int) -> Tensor:
    # One row more takes the ignored pixels: picking the others out would cost as much as the maximum.
    rows = masks.where(masks != IGNORE_INDEX, classes)
    counts = torch.bincount((rows * classes + predicted).reshape(-1), minlength=(classes + 1) * classes)
    return counts.reshape(classes + 1, classes)[:classes]


def _pairs_by_comparison(predicted: Tensor, masks: Tensor, classes: int) -> Tensor:
    """A product of one-hot matrices for each row of pixels, so that a GPU has many to do at once.

    float32 counts exactly to 2^24, more than an image of the largest size has pixels; beyond that, int64.
    """
    images = max(1, _AT_ONCE // max(1, classes * masks[0].numel()))
    total = torch.zeros(classes, classes, dtype=torch.int64, device=masks.device)
    for start in range(0, len(masks), images):
        some = slice(start, start + images)
        of_rows = _one_hot(masks[some], classes).float().mT @ _one_hot(predicted[some], classes).float()
        total = total + of_rows.sum(dim=1).long().sum(dim=0)
    return total


def _one_hot(masks: Tensor, classes: int) -> Tensor:
    """(N, H, W, C) bool; ignored pixels have no class."""
    return masks.unsqueeze(-1) == torch.arange(classes, device=masks.device)
