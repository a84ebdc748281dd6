"""How an image of any size becomes the square that a network is trained on."""

import cv2
import numpy as np

from workers.prepared.version import Uint8


def image_square(image: Uint8, size: int, fit: str) -> Uint8:
    """An image, (H, W, 3), resized to `size` x `size`.

    `stretch` changes the aspect ratio; `letterbox` keeps it and centres the image between black borders.
    """
    height, width = image.shape[:2]
    if fit == "stretch":
        return resize_image(image, size, size)
    rows, columns = square_inside(height, width, size, fit)
    framed = np.zeros((size, size, 3), np.uint8)
    framed[rows, columns] = resize_image(image, rows.stop - rows.start, columns.stop - columns.start)
    return framed


def square_inside(height: int, width: int, size: int, fit: str) -> tuple[slice, slice]:
    """The rows and columns of the square that an image of height x width fills; the rest is border."""
    if fit == "stretch":
        return slice(0, size), slice(0, size)
    scale = size / max(height, width)
    inner_height, inner_width = (max(1, round(side * scale)) for side in (height, width))
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    return slice(top, top + inner_height), slice(left, left + inner_width)


def resize_image(image: Uint8, height: int, width: int) -> Uint8:
    """An image, (H, W, 3), of height x width."""
    # To less than half, an average over the area is needed, or pixels are skipped; else it costs six times as
    # much as interpolation for the same picture.
    skips = image.shape[0] > 2 * height or image.shape[1] > 2 * width
    method = cv2.INTER_AREA if skips else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)
