"""The check that each mask holds classes of its set and nothing else, before a network sees it."""

import numpy as np
from numpy.typing import NDArray

from trainyard.errors import MaskIdOutOfRange
from workers.prepared.planes import BITS, planes_of
from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL


def check_mask_values(masks: NDArray[np.uint8], names: list[str], classes: int, task: str) -> None:
    """Raise MaskIdOutOfRange for a value that is neither below `classes` nor IGNORE_INDEX, or for a bit of a
    multilabel mask that is none of `classes`.

    `masks` is (N, H, W) or (N, H, W, P), `names` those of the N samples. On a GPU such a value is an
    assertion within a kernel that leaves the device unusable and names no file.
    """
    if task == MULTILABEL:
        # Every bit of all planes but the last is a class.
        last = planes_of(classes) - 1
        masks = masks if last == 0 else masks[..., last]
        end, ignored = 1 << classes - BITS * last, ""
    else:
        # The ignored value, the highest of all, becomes 0, and every class one more.
        masks = masks + np.uint8(1)
        end, ignored = classes + 1, f", and {IGNORE_INDEX} where pixels are ignored"
    if masks.size and int(masks.max()) < end:
        return
    first = 0 if task == MULTILABEL else 1
    for name, mask in zip(names, masks, strict=True):
        if int(mask.max(initial=0)) >= end:
            raise MaskIdOutOfRange(
                f"The mask of {name} holds the value {int(mask.max()) - first}; accepted are 0 to "
                f"{end - 1 - first}{ignored}."
            )
