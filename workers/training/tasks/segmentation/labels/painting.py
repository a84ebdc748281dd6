"""Class maps as pictures: their colours, laid over the image or alone."""

from collections.abc import Sequence

import numpy as np

from workers.prepared.version import PreparedClass, Uint8
from workers.training.tasks.segmentation.labels.mask_labels import has_class

OPACITY = 0.55
"""How much of a pixel's class colour covers the image, 0 to 1."""


def palette(classes: Sequence[PreparedClass], task: str) -> Uint8:
    """The colour of each value of a class map, (256, 3) RGB; IGNORE_INDEX and unused values are black.

    A value of a multilabel map has the mean colour of its classes.
    """
    values = np.arange(256, dtype=np.uint8)
    sums, counts = np.zeros((256, 3)), np.zeros((256, 1))
    for info in classes:
        where = has_class(values, info.index, task)
        sums[where] += info.color
        counts[where] += 1
    return np.asarray((sums / np.maximum(counts, 1)).round(), np.uint8)


def blend(image: Uint8, mask: Uint8, colors: Uint8) -> Uint8:
    """The image, (H, W, 3), under the class colours of its mask, (H, W); ignored pixels turn dark."""
    mixed = image * (1 - OPACITY) + colors[mask] * OPACITY
    return mixed.astype(np.uint8)
