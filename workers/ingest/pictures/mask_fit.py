"""Whether a mask has the size of its image, and how it is brought to it."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.problems import Refused
from workers.ingest.raster.orientation import FIRST_TRANSPOSED, oriented
from workers.ingest.raster.shrink import Size, picked

_MOST_UNLIKE = 0.02
"""The part by which the proportions of a mask may differ from its image's: sides are rounded to pixels."""


def same_proportions(one: Size, other: Size) -> bool:
    """Whether two sizes are the same but for their scale, and for rounding to whole pixels."""
    scale = (one[0] / other[0] + one[1] / other[1]) / 2
    return all(
        abs(a - scale * b) <= _MOST_UNLIKE / 2 * a or abs(a - scale * b) < max(1.0, scale)
        for a, b in zip(one, other, strict=True)
    )


def fit_mask(mask: NDArray[Any], image: DecodedImage, *, resample: bool = False) -> NDArray[Any]:
    """The mask as it lies on the displayed image; turned where it was drawn on the stored one.

    Where the image was made smaller, so is the mask, by single pixels of it. With `resample`, a mask of the
    image's proportions is brought to its size, each pixel taking the value of the nearest. Raises Refused
    where its size does not fit.
    """
    size = (mask.shape[1], mask.shape[0])
    if size == image.kept_size:
        return mask
    if size in (image.size, image.stored_size):
        turned = mask if size == image.size else np.ascontiguousarray(oriented(mask, image.orientation))
        return picked(turned[..., None], image.kept_size)[..., 0] if image.reduced else turned
    if resample and same_proportions(size, image.size):
        return _resampled(mask, image.kept_size)
    if resample and same_proportions(size, image.stored_size):
        swapped = image.orientation >= FIRST_TRANSPOSED
        fitted = _resampled(mask, image.kept_size[::-1] if swapped else image.kept_size)
        return np.ascontiguousarray(oriented(fitted, image.orientation))
    raise _wrong_size(size, image)


def _resampled(mask: NDArray[Any], size: Size) -> NDArray[Any]:
    return np.asarray(
        cv2.resize(np.ascontiguousarray(mask), size, interpolation=cv2.INTER_NEAREST_EXACT), mask.dtype
    )


def check_size(size: Size, image: DecodedImage) -> None:
    """Raise Refused where a mask, which may be turned once it is loaded, cannot have its image's size."""
    if not {size, size[::-1]} & {image.size, image.stored_size}:
        raise _wrong_size(size, image)


def _wrong_size(size: tuple[int, int], image: DecodedImage) -> Refused:
    alike = same_proportions(size, image.size) or same_proportions(size, image.stored_size)
    way = "; or send `mask_size: resample` to have that done here" if alike else ""
    return Refused(
        "mask_size",
        f"The mask is {size[0]}x{size[1]} and its image {image.size[0]}x{image.size[1]} pixels.",
        f"Save the mask at the size of its image, without smoothing (nearest neighbour){way}.",
    )
