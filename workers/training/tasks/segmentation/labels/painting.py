"""Class maps as pictures: their colours, laid over the image or alone."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from trainyard.errors import StorageUnavailable
from trainyard.storage.errors import storage_error
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


def write_picture(picture: Uint8, path: Path) -> None:
    """Write a class map, (H, W), or an RGB picture, (H, W, 3), as PNG; raises StorageUnavailable."""
    plain = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    temporary = path.with_name(f".{path.name}.tmp.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(temporary), plain):
            raise StorageUnavailable(f"{path.name} could not be written.")
        temporary.replace(path)
    except OSError as error:
        raise storage_error(f"{path.name} could not be written", error) from error
