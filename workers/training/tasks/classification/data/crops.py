"""How an image becomes a square: as all see it, and the part that training sees where a spec's fit is `crop`.
Without torch."""

import math

import numpy as np

from workers.prepared.version import Uint8
from workers.training.data.resizing import image_square, resize_image

CENTRE = 0.875
"""The side of the middle square that validation sees, as a share of the image's shorter side."""
_RATIOS = (3 / 4, 4 / 3)
"""Least and greatest width of a random part by its height."""
_TRIES = 10


def plain_square(image: Uint8, size: int, fit: str) -> Uint8:
    """An image, (H, W, 3), of any size as validation and every use of the network see it."""
    return resize_image(centre(image), size, size) if fit == "crop" else image_square(image, size, fit)


def random_part(image: Uint8, min_area: float, numbers: np.random.Generator) -> Uint8:
    """A part of random area, from that share of an image, (H, W, 3), to all of it, and of random proportions.

    As the inception networks are trained (Szegedy et al., "Going deeper with convolutions", 2014); where no
    part that is drawn lies within the image, its middle of the nearest proportions.
    """
    height, width = image.shape[:2]
    for _ in range(_TRIES):
        area = numbers.uniform(min_area, 1.0) * height * width
        ratio = math.exp(numbers.uniform(math.log(_RATIOS[0]), math.log(_RATIOS[1])))
        across, down = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < across <= width and 0 < down <= height:
            top = int(numbers.integers(0, height - down + 1))
            left = int(numbers.integers(0, width - across + 1))
            return image[top : top + down, left : left + across]
    low, high = _RATIOS
    return _middle(image, min(height, round(width / low)), min(width, round(height * high)))


def centre(image: Uint8) -> Uint8:
    """The middle square of an image, (H, W, 3)."""
    side = max(1, round(CENTRE * min(image.shape[:2])))
    return _middle(image, side, side)


def _middle(image: Uint8, height: int, width: int) -> Uint8:
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
