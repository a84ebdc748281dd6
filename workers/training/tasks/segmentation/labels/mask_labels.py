"""What the bytes of a mask mean: one class each, or, in a multilabel set, a bit for each class."""

import numpy as np
from numpy.typing import NDArray

from workers.prepared.planes import bit_of, planes_of
from workers.prepared.version import IGNORE_INDEX, Uint8

MULTILABEL = "multilabel"
"""The task, of a set and of a model, in which a pixel may have several classes or none."""
THRESHOLD = 0.5
"""The probability above which a pixel has a class of a multilabel model: a logit above 0."""


def outside_value(task: str) -> int:
    """What a mask holds beyond its image: pixels to ignore; of a multilabel mask, which has no value to
    spare for that, pixels of no class."""
    return 0 if task == MULTILABEL else IGNORE_INDEX


def planes(task: str, classes: int) -> int:
    """How many planes masks of a task with so many classes have."""
    return planes_of(classes) if task == MULTILABEL else 1


def has_class(mask: Uint8, index: int, task: str, classes: int) -> NDArray[np.bool_]:
    """Where a mask of one of so many classes has it. The mask may have any shape; with several planes, which
    a multilabel one of more than eight classes has, they are its last axis."""
    if task != MULTILABEL:
        return np.asarray(mask == index, np.bool_)
    return bit_of(mask, index, planes_of(classes))


def is_ignored(mask: Uint8, task: str) -> NDArray[np.bool_]:
    """Where a mask, (H, W) or (H, W, P), does not count, (H, W); nowhere in a multilabel one."""
    return np.zeros(mask.shape[:2], np.bool_) if task == MULTILABEL else np.asarray(mask == IGNORE_INDEX)
