"""The check that each mask holds classes of its set and nothing else, before a network sees it."""

import numpy as np
from numpy.typing import NDArray

from trainyard.errors import MaskIdOutOfRange
from workers.prepared import IGNORE_INDEX


def check_mask_values(masks: NDArray[np.uint8], names: list[str], classes: int) -> None:
    """Raise MaskIdOutOfRange for a value that is neither below `classes` nor IGNORE_INDEX.

    `masks` is (N, H, W) of class indices, `names` those of the N samples. On a GPU such a value is an
    assertion within a kernel that leaves the device unusable and names no file.
    """
    # The ignored value, the highest of all, becomes 0, and every class one more.
    shifted = masks + np.uint8(1)
    if masks.size and int(shifted.max()) <= classes:
        return
    for name, mask in zip(names, shifted, strict=True):
        if int(mask.max(initial=0)) > classes:
            raise MaskIdOutOfRange(
                f"The mask of {name} holds the value {int(mask.max()) - 1}; accepted are 0 to {classes - 1}, "
                f"and {IGNORE_INDEX} where pixels are ignored."
            )
