"""How an image of any size, and its mask with it, become the square that a network is trained on."""

import cv2
import numpy as np

from workers.prepared.version import Uint8
from workers.training.data.resizing import image_square, square_inside


def to_square(image: Uint8, mask: Uint8, size: int, fit: str, outside: int) -> tuple[Uint8, Uint8]:
    """Image (H, W, 3) and mask (H, W) or (H, W, P), both resized to `size` x `size` as `image_square` does.

    The mask of a letterbox's borders is `outside`. Masks are resized to the nearest pixel, so no new value
    arises.
    """
    height, width = mask.shape[:2]
    rows, columns = square_inside(height, width, size, fit)
    framed = np.full((size, size, *mask.shape[2:]), outside, np.uint8)
    framed[rows, columns] = _resize_mask(mask, rows.stop - rows.start, columns.stop - columns.start)
    return image_square(image, size, fit), framed


def _resize_mask(mask: Uint8, height: int, width: int) -> Uint8:
    resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8)
