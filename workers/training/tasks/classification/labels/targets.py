"""What is to be learnt of an image: its class, or which of all classes it has."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainyard.errors import BadDataset
from trainyard.tasks.classification import MULTILABEL
from workers.prepared.version import PreparedDataset, Sample


def check_labels(prepared: PreparedDataset, samples: Sequence[Sample]) -> None:
    """Raise BadDataset, naming the image, for labels that are none of the set's classes, and where an image
    of a multiclass set has not exactly one."""
    classes = len(prepared.classes)
    for sample in samples:
        if any(not 0 <= index < classes for index in sample.classes):
            raise BadDataset(f"{sample.name} has the labels {list(sample.classes)}, of {classes} classes.")
        if prepared.task != MULTILABEL and len(sample.classes) != 1:
            raise BadDataset(f"{sample.name} has {len(sample.classes)} labels, and takes one.")


def label_of(sample: Sample, classes: int, form: str) -> Tensor:
    """The class of a sample, int64 without an axis; of a multilabel task (C,) float32 of 0 and 1."""
    if form != MULTILABEL:
        return torch.tensor(sample.classes[0])
    label = torch.zeros(classes)
    label[list(sample.classes)] = 1
    return label


def as_shares(truth: Tensor, classes: int) -> Tensor:
    """(N, C) float32, how much of each class an image is, of labels (N,) int64; what has that form stays."""
    if truth.ndim != 1:
        return truth
    # By comparing: torch's own form looks at the labels on some devices, and waits for them.
    return (truth[:, None] == torch.arange(classes, device=truth.device)).float()
