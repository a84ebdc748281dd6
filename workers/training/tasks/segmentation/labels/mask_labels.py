"""What the bytes of a mask mean: one class each, or, in a multilabel set, a bit for each class."""

import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import IGNORE_INDEX, Uint8

MULTILABEL = "multilabel"
"""The task, of a set and of a model, in which a pixel may have several classes or none."""
THRESHOLD = 0.5
"""The probability above which a pixel has a class of a multilabel model: a logit above 0."""


def outside_value(task: str) -> int:
    """What a mask holds beyond its image: pixels to ignore; of a multilabel mask, which has no value to
    spare for that, pixels of no class."""
    return 0 if task == MULTILABEL else IGNORE_INDEX


def has_class(mask: Uint8, index: int, task: str) -> NDArray[np.bool_]:
    """Where a mask, of any shape, has the class."""
    return np.asarray((mask >> index) & 1 if task == MULTILABEL else mask == index, np.bool_)


def is_ignored(mask: Uint8, task: str) -> NDArray[np.bool_]:
    """Where a mask, of any shape, does not count; nowhere in a multilabel one."""
    return np.zeros(mask.shape, np.bool_) if task == MULTILABEL else np.asarray(mask == IGNORE_INDEX)
