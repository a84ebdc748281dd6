"""Class maps as pictures: their colours, laid over the image or alone."""

from collections.abc import Callable, Sequence

import numpy as np

from workers.prepared.version import PreparedClass, Uint8
from workers.training.tasks.segmentation.labels.mask_labels import has_class, planes

OPACITY = 0.55
"""How much of a pixel's class colour covers the image, 0 to 1."""

Colouring = Callable[[Uint8], Uint8]
"""The colours of a mask, (H, W, 3) RGB; ignored pixels and those without a class are black."""


def colouring(classes: Sequence[PreparedClass], task: str) -> Colouring:
    """The colours of masks of these classes; a pixel of several has the mean of theirs."""
    if planes(task, len(classes)) > 1:
        return lambda mask: _mixed(mask, classes, task)
    table = _mixed(np.arange(256, dtype=np.uint8), classes, task)
    return lambda mask: table[mask]


def blend(image: Uint8, mask: Uint8, colors: Colouring) -> Uint8:
    """The image, (H, W, 3), under the class colours of its mask; ignored pixels turn dark."""
    mixed = image * (1 - OPACITY) + colors(mask) * OPACITY
    return mixed.astype(np.uint8)


def _mixed(mask: Uint8, classes: Sequence[PreparedClass], task: str) -> Uint8:
    """The mean colour of each pixel's classes."""
    shape = mask.shape if planes(task, len(classes)) == 1 else mask.shape[:-1]
    sums, counts = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 1), np.float32)
    for info in classes:
        where = has_class(mask, info.index, task, len(classes))
        sums[where] += info.color
        counts[where] += 1
    return np.asarray((sums / np.maximum(counts, 1)).round(), np.uint8)
