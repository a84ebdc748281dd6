"""Turns the bytes of a mask file into an array of the values stored: palette indices, grey values, ids."""

from collections.abc import Mapping
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ingest.pictures.decode import DecodedImage, Loaded, load_opened, open_header, rgb_pixels
from workers.ingest.pictures.large import LargePicture, open_large, open_large_header
from workers.ingest.pictures.limits import TooLarge
from workers.ingest.pictures.mask_fit import check_size
from workers.ingest.problems import Refused
from workers.ingest.raster.color_modes import WIDE_MODES, bands
from workers.ingest.raster.orientation import FIRST_TRANSPOSED, oriented
from workers.ingest.raster.strips import Values
from workers.prepared.version import Uint8

Color = tuple[int, int, int]

WHITE = 255
"""The value of white in a mask of one bit per pixel, as Pillow and OpenCV have it."""

LARGEST_ID = 254
"""What ids of objects above it become in a byte: 255 may mean that a pixel is of no object."""

HALF = 128
"""Grey from here on is foreground where edges are smoothed."""

_SPREAD = 0xFFFF // 0xFF
_NEAR = 32  # how far from 0 or 255 JPEG's compression takes a grey away from edges
_NEAR_SHARE = 0.9
_FLAT, _FLAT_SHARE = 24, 0.002
_NO_OBJECT = 0xFFFF  # what programs write for that into 16 bits


def decode_mask(data: bytes, white: int = WHITE, image: DecodedImage | None = None) -> Uint8:
    """Decode a mask as stored, (H, W) uint8; `white` is the value of white in masks of one bit per pixel.

    Where its image is given, a mask of another size is refused before its pixels are read. A JPEG that has
    plainly been black and white becomes 0 and 255 again, parted at HALF. Raises Refused as `decode_image`
    does, and where the values are colours, floats, above 255, or blurred by JPEG.
    """
    values, image_format = _whole(data, white, 0xFF, image)
    narrow: Uint8 = np.ascontiguousarray(values, np.uint8)
    return _black_and_white(narrow) if image_format in ("JPEG", "MPO") else narrow


def decode_ids(data: bytes, image: DecodedImage | None = None) -> NDArray[np.int64]:
    """Decode a mask of ids of objects, (H, W); negative ones, and 65535 beside others, are of no object: -1.

    Raises Refused as `decode_image` does, and where the values are colours or not finite.
    """
    values = _unspread(_as_stored(data, WHITE, image)[0])
    if not np.isfinite(values).all():
        raise _out_of_range(values.min(), values.max(), _NO_OBJECT)
    ids = values.astype(np.int64)
    ids[(ids < 0) | (ids == _NO_OBJECT)] = -1
    return ids


def decode_objects(data: bytes, image: DecodedImage | None = None) -> Uint8:
    """Decode a mask whose values are ids of objects, (H, W) uint8: 0 is no object, other values are.

    Ids of more than 8 bits above 254 become 254, and pixels that are of no class 255. Of a mask of colours,
    all but black are objects, and 1. Raises Refused as `decode_image` does.
    """
    if any_header(data).mode in ("L", "P", "1"):
        return decode_mask(data, image=image)
    try:
        ids = decode_ids(data, image)
    except Refused as refusal:
        if refusal.problem_code != "mask_color":
            raise
        return np.ascontiguousarray(colored_pixels(data, image).any(axis=2), np.uint8)
    return np.where(ids < 0, WHITE, np.minimum(ids, LARGEST_ID)).astype(np.uint8)


def decode_numbers(data: bytes, image: DecodedImage | None = None) -> NDArray[np.float64]:
    """Decode a mask of one channel of any depth, (H, W), as stored; raises Refused as `decode_ids` does."""
    values = _unspread(_as_stored(data, WHITE, image)[0])
    if not np.isfinite(values).all():
        raise _out_of_range(values.min(), values.max(), _NO_OBJECT)
    return values.astype(np.float64)


def decode_grey(data: bytes, image: DecodedImage | None = None) -> Uint8:
    """Decode a mask of one channel of 8 bits, (H, W) uint8, as stored, a JPEG too; raises Refused."""
    values, _ = _whole(data, WHITE, 0xFF, image)
    return np.ascontiguousarray(values, np.uint8)


def decode_levels(data: bytes, levels: Mapping[float, int], image: DecodedImage | None = None) -> Uint8:
    """Decode a mask, (H, W) uint8, into the values of the nearest of these levels; raises Refused as
    `decode_numbers` does."""
    numbers = decode_numbers(data, image)
    ordered = sorted(levels)
    between = [(one + other) / 2 for one, other in pairwise(ordered)]
    values = np.array([levels[one] for one in ordered], np.uint8)
    return values[np.searchsorted(between, numbers)]


def decode_alpha(data: bytes, image: DecodedImage | None = None) -> Uint8:
    """Decode a mask whose shape is its transparency, (H, W) uint8: 0 is transparent.

    Raises Refused as `decode_image` does, and for a picture without transparency that is no mask of values.
    """
    if any_header(data).mode not in ("RGBA", "LA", "PA"):
        return decode_mask(data, image=image)
    try:
        loaded = load_opened(_header(data, image), data, cv2.IMREAD_COLOR_RGB)
        opaque = np.asarray(loaded.image.getchannel("A"))
    except TooLarge:
        if image is None or not image.reduced:
            raise
        opaque = _reduced(data, image)[1][..., -1]
    return np.ascontiguousarray(opaque, np.uint8)


def decode_shades(data: bytes, image: DecodedImage | None = None) -> Uint8:
    """Decode a mask as it is seen, (H, W) uint8: of a palette, the grey that it shows and, for a colour, 255.

    Raises Refused as `decode_mask` does.
    """
    header = any_header(data)
    if header.mode != "P":
        return decode_mask(data, image=image)
    indices, _ = _as_stored(data, WHITE, image)
    shades = np.zeros(256, np.uint8)
    for index, (red, green, blue) in enumerate(palette_of(header)):
        shades[index] = red if red == green == blue else WHITE
    return shades[np.asarray(indices, np.uint8)]


def any_header(data: bytes) -> Image.Image:
    """The header of a picture of any size; raises Refused."""
    try:
        return open_header(data)
    except TooLarge:
        return open_large_header(data)


def palette_of(image: Image.Image) -> list[Color]:
    """The colours of a picture's palette, at most 256, in the order of their indices."""
    flat = image.getpalette() or []
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=False))


def check_mask_size(data: bytes, image: DecodedImage) -> None:
    """Raise Refused, before a pixel is read, where a mask has neither the image's size nor its stored one."""
    try:
        _header(data, image)
    except TooLarge:
        if not image.reduced:
            raise
        check_size(open_large(data, max(image.kept_size)).size, image)


def color_codes(pixels: Uint8) -> NDArray[np.uint32]:
    """Colours, (..., 3) RGB, as whole numbers 0xRRGGBB."""
    wide = pixels.astype(np.uint32)
    codes = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    return codes.astype(np.uint32, copy=False)


def code_of(color: Color) -> int:
    """0xRRGGBB of a colour."""
    return (color[0] << 16) | (color[1] << 8) | color[2]


def color_of(code: int) -> Color:
    """The colour of 0xRRGGBB."""
    return code >> 16, code >> 8 & 0xFF, code & 0xFF


def hex_of(color: Color) -> str:
    """A colour as `#rrggbb`."""
    return f"#{code_of(color):06x}"


def _header(data: bytes, image: DecodedImage | None) -> Image.Image:
    header = open_header(data)
    if image is not None:
        check_size(header.size, image)
    return header


def colored_pixels(data: bytes, image: DecodedImage | None) -> Uint8:
    """The pixels of a mask of colours, (H, W, 3) RGB. Raises Refused."""
    try:
        return rgb_pixels(load_opened(_header(data, image), data, cv2.IMREAD_COLOR_RGB))
    except TooLarge:
        if image is None or not image.reduced:
            raise
    picture, values = _reduced(data, image)
    if picture.raster is not None:
        values = picture.raster.colored(values)
    if values.dtype != np.uint8:
        raise Refused("mask_color", "A mask of colours has 8 bits per channel.", "Save it as 8-bit RGB.")
    return values if values.shape[2] > 1 else np.repeat(values, 3, axis=2)


def _reduced(data: bytes, image: DecodedImage) -> tuple[LargePicture, Values]:
    """A mask of an image that was made smaller, in its size and as displayed: (H, W, channels as stored)."""
    picture = open_large(data, max(image.kept_size))
    check_size(picture.size, image)
    own = picture.orientation if picture.turns_itself else 1
    shown = picture.size[::-1] if own >= FIRST_TRANSPOSED else picture.size
    turn = 1 if shown == image.size else image.orientation
    swapped = (own >= FIRST_TRANSPOSED) != (turn >= FIRST_TRANSPOSED)
    values = picture.mask(image.kept_size[::-1] if swapped else image.kept_size)
    return picture, oriented(oriented(values, own), turn)


def _whole(
    data: bytes, white: int, largest: int, image: DecodedImage | None
) -> tuple[NDArray[np.generic], str | None]:
    """The values of a mask, all whole numbers from 0 to `largest`, and the format of its file."""
    values, image_format = _as_stored(data, white, image)
    if values.dtype != np.uint8:
        values = _unspread(values)
        low, high = values.min(), values.max()
        whole = values.dtype.kind != "f" or bool((values == np.rint(values)).all())
        if not (low >= 0 and high <= largest and whole):
            raise _out_of_range(low, high, largest)
    return values, image_format


def _as_stored(data: bytes, white: int, image: DecodedImage | None) -> tuple[NDArray[np.generic], str | None]:
    """The values of a mask, and the format of its file."""
    try:
        header = _header(data, image)
        flags = cv2.IMREAD_GRAYSCALE if header.mode == "L" else cv2.IMREAD_COLOR_RGB
        loaded = load_opened(header, data, flags)
        return _values(loaded, white), loaded.image.format
    except TooLarge:
        if image is None or not image.reduced:
            raise
    picture, stored = _reduced(data, image)
    values = stored[..., 0] if stored.shape[2] == 1 else _one_channel(stored)
    if picture.is_one_bit:
        values = np.where(values > 0, np.uint8(white), np.uint8(0))
    return values, picture.format


def _out_of_range(low: float, high: float, largest: int) -> Refused:
    return Refused(
        "mask_values_range",
        f"The mask has values from {low:g} to {high:g}; class ids are whole numbers from 0 to {largest}.",
        "Give each class an id in that range and save the mask with 8 bits per pixel; or, if the values are "
        "ids of objects, send `objects: one_class`.",
    )


def _unspread(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Values of 8 bits that a program has spread over 16, 255 to 65535, as they were; others as they are."""
    if values.dtype.kind not in "iu" or values.max() <= 0xFF or (values % _SPREAD).any():
        return values
    return values // _SPREAD


def _values(loaded: Loaded, white: int) -> NDArray[np.generic]:
    image = loaded.image
    if loaded.fast is not None:
        return loaded.fast if loaded.fast.ndim == 2 else _one_channel(loaded.fast)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(white)
    if image.mode in ("L", "P", "F", *WIDE_MODES):
        return np.asarray(image)
    if image.mode in ("LA", "PA"):
        return np.asarray(image.getchannel(0))
    if image.mode in ("RGB", "RGBA"):
        values = np.empty((image.height, image.width), np.uint8)
        for rows, band in bands(image):
            values[rows] = _one_channel(np.asarray(band))
        return values
    raise _is_colored(image)


def _one_channel(channels: Values) -> Values:
    """The grey of (H, W, 3 or 4) where red, green and blue are the same; raises Refused where not."""
    first = channels[..., 0]
    if np.array_equal(first, channels[..., 1]) and np.array_equal(first, channels[..., 2]):
        return first
    raise _is_colored(None)


def _is_colored(image: Image.Image | None) -> Refused:
    kind = "" if image is None else f" ({image.mode})"
    return Refused(
        "mask_color",
        f"The mask is a colour picture{kind}; which colour is which class is not known.",
        "Say which colour is which class, or save the mask with one channel whose values are class ids.",
    )


def _black_and_white(values: Uint8) -> Uint8:
    """A mask that was saved as JPEG, as 0 and 255; raises Refused where it had other values."""
    grey = (values > _NEAR) & (values < 255 - _NEAR)
    high = int(values.max())
    if grey.mean() > 1 - _NEAR_SHARE or 0 < high < 255 - _NEAR or _has_flat(values, grey):
        raise Refused(
            "mask_jpeg",
            "The mask is a JPEG, whose compression blurs the class values.",
            "Save the mask as PNG from the original annotation.",
        )
    return np.where(values >= HALF, np.uint8(WHITE), np.uint8(0))


def _has_flat(values: Uint8, grey: NDArray[np.bool_]) -> bool:
    """Whether grey lies in areas, as a class of its own does, and not on edges alone."""
    around = np.ones((3, 3), np.uint8)
    flat = cv2.dilate(values, around) - cv2.erode(values, around) <= _FLAT
    return float((grey & flat).mean()) > _FLAT_SHARE
