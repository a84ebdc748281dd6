"""Turns the bytes of a mask file into an array of the values stored: palette indices, grey values, ids."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ingest.decode import WIDE_MODES, DecodedImage, load, oriented
from workers.ingest.problems import Refused
from workers.prepared import Uint8

WHITE = 255
"""The value of white in a mask of one bit per pixel, as Pillow and OpenCV have it."""


def decode_mask(data: bytes, white: int = WHITE) -> Uint8:
    """Decode a mask as stored, (H, W) uint8; `white` is the value of white in masks of one bit per pixel.

    Raises Refused as `decode_image` does, and where the values are colours, floats or above 255.
    """
    image = load(data).image
    if image.format in ("JPEG", "MPO"):
        raise Refused(
            "mask_jpeg",
            "The mask is a JPEG, whose compression blurs the class values.",
            "Save the mask as PNG from the original annotation.",
        )
    values = _mask_values(image, white)
    if values.dtype != np.uint8:
        low, high = values.min(), values.max()
        whole = image.mode != "F" or bool((values == np.rint(values)).all())
        if not (low >= 0 and high <= 255 and whole):
            raise Refused(
                "mask_values_range",
                f"The mask has values from {low:g} to {high:g}; class ids are whole numbers from 0 to 255.",
                "Give each class an id in that range and save the mask with 8 bits per pixel.",
            )
    return np.ascontiguousarray(values.astype(np.uint8, copy=False))


def fit_mask(mask: Uint8, image: DecodedImage) -> Uint8:
    """The mask as it lies on the displayed image; turned where it was drawn on the stored one.

    Raises Refused where its size is neither.
    """
    size = (mask.shape[1], mask.shape[0])
    if size == image.size:
        return mask
    if size == image.stored_size:
        return np.ascontiguousarray(oriented(mask, image.orientation))
    raise Refused(
        "mask_size",
        f"The mask is {size[0]}x{size[1]} and its image {image.size[0]}x{image.size[1]} pixels.",
        "Save the mask at the size of its image, without smoothing (nearest neighbour).",
    )


def _mask_values(image: Image.Image, white: int) -> NDArray[np.generic]:
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(white)
    if image.mode in ("L", "P", "F", *WIDE_MODES):
        return np.asarray(image)
    if image.mode in ("LA", "PA"):
        return np.asarray(image.getchannel(0))
    if image.mode in ("RGB", "RGBA"):
        channels = np.asarray(image)
        first = channels[..., 0]
        if np.array_equal(first, channels[..., 1]) and np.array_equal(first, channels[..., 2]):
            return first
    raise Refused(
        "mask_color",
        f"The mask is a colour picture ({image.mode}); which colour is which class is not known.",
        "Save the mask with one channel whose values are class ids, or as a palette PNG.",
    )
