"""Turns the bytes of a mask file into an array of the values stored: palette indices, grey values, ids."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ingest.decode import DecodedImage, Loaded, load_opened, open_header, rgb_pixels
from workers.ingest.large import LargePicture, open_large
from workers.ingest.limits import TooLarge
from workers.ingest.orientation import FIRST_TRANSPOSED, oriented
from workers.ingest.problems import Refused
from workers.ingest.raster.shrink import Size, picked
from workers.ingest.raster.strips import Values
from workers.ingest.rgb import BAND_PIXELS, WIDE_MODES, bands
from workers.prepared import Uint8

Color = tuple[int, int, int]

WHITE = 255
"""The value of white in a mask of one bit per pixel, as Pillow and OpenCV have it."""

HALF = 128
"""Grey from here on is foreground where edges are smoothed."""

_SPREAD = 0xFFFF // 0xFF
_NEAR = 32  # how far from 0 or 255 JPEG's compression takes a grey away from edges
_NEAR_SHARE = 0.9
_LISTED = 5


def decode_mask(data: bytes, white: int = WHITE, image: DecodedImage | None = None) -> Uint8:
    """Decode a mask as stored, (H, W) uint8; `white` is the value of white in masks of one bit per pixel.

    Where its image is given, a mask of another size is refused before its pixels are read. A JPEG that has
    plainly been black and white becomes 0 and 255 again, parted at HALF. Raises Refused as `decode_image`
    does, and where the values are colours, floats, above 255, or blurred by JPEG.
    """
    values, image_format = _whole(data, white, 0xFF, image)
    narrow: Uint8 = np.ascontiguousarray(values, np.uint8)
    return _black_and_white(narrow) if image_format in ("JPEG", "MPO") else narrow


def decode_colors(data: bytes, table: Mapping[Color, int], image: DecodedImage | None = None) -> Uint8:
    """Decode a mask of colours, (H, W) uint8, into the values that the table gives them.

    Raises Refused as `decode_image` does, and for a colour that the table lacks.
    """
    pixels = _colors(data, image)
    codes = np.array(sorted(code_of(color) for color in table), np.uint32)
    values = np.array([table[color_of(int(code))] for code in codes], np.uint8)
    mask = np.empty(pixels.shape[:2], np.uint8)
    strange: dict[int, int] = {}
    rows = max(BAND_PIXELS // pixels.shape[1], 1)
    for top in range(0, len(pixels), rows):
        band = color_codes(pixels[top : top + rows])
        place = np.minimum(np.searchsorted(codes, band), len(codes) - 1)
        mask[top : top + rows] = values[place]
        unknown = band[codes[place] != band]
        if unknown.size:
            found, counts = np.unique(unknown, return_counts=True)
            for code, count in zip(found.tolist(), counts.tolist(), strict=True):
                strange[code] = strange.get(code, 0) + count
    if strange:
        often = sorted(strange, key=lambda code: -strange[code])[:_LISTED]
        listed = ", ".join(f"{hex_of(color_of(code))} ({strange[code]} pixels)" for code in often)
        raise Refused(
            "mask_unknown_color",
            f"The mask has {len(strange)} colour(s) that are no class: {listed}.",
            "Add them to the table of colours, or save the mask without smoothing and not as JPEG.",
        )
    return mask


def check_mask_size(data: bytes, image: DecodedImage) -> None:
    """Raise Refused, before a pixel is read, where a mask has neither the image's size nor its stored one."""
    try:
        _header(data, image)
    except TooLarge:
        if not image.reduced:
            raise
        _check_size(open_large(data, max(image.kept_size)).size, image)


def fit_mask(mask: Uint8, image: DecodedImage) -> Uint8:
    """The mask as it lies on the displayed image; turned where it was drawn on the stored one.

    Where the image was made smaller, so is the mask, by single pixels of it. Raises Refused where its size
    is neither.
    """
    size = (mask.shape[1], mask.shape[0])
    if size == image.kept_size:
        return mask
    if size not in (image.size, image.stored_size):
        raise _wrong_size(size, image)
    if size != image.size:
        mask = np.ascontiguousarray(oriented(mask, image.orientation))
    return picked(mask[..., None], image.kept_size)[..., 0] if image.reduced else mask


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
        _check_size(header.size, image)
    return header


def _check_size(size: Size, image: DecodedImage) -> None:
    """Raise Refused where a mask, which may be turned once it is loaded, cannot have its image's size."""
    if not {size, size[::-1]} & {image.size, image.stored_size}:
        raise _wrong_size(size, image)


def _colors(data: bytes, image: DecodedImage | None) -> Uint8:
    """The pixels of a mask of colours, (H, W, 3) RGB."""
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
    _check_size(picture.size, image)
    own = picture.orientation if picture.turns_itself else 1
    shown = picture.size[::-1] if own >= FIRST_TRANSPOSED else picture.size
    turn = 1 if shown == image.size else image.orientation
    swapped = (own >= FIRST_TRANSPOSED) != (turn >= FIRST_TRANSPOSED)
    values = picture.mask(image.kept_size[::-1] if swapped else image.kept_size)
    return picture, oriented(oriented(values, own), turn)


def _wrong_size(size: tuple[int, int], image: DecodedImage) -> Refused:
    return Refused(
        "mask_size",
        f"The mask is {size[0]}x{size[1]} and its image {image.size[0]}x{image.size[1]} pixels.",
        "Save the mask at the size of its image, without smoothing (nearest neighbour).",
    )


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
            raise Refused(
                "mask_values_range",
                f"The mask has values from {low:g} to {high:g}; class ids are whole numbers from 0 to "
                f"{largest}.",
                "Give each class an id in that range and save the mask with 8 bits per pixel.",
            )
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
    near = float(np.count_nonzero((values <= _NEAR) | (values >= 255 - _NEAR))) / values.size
    high = int(values.max())
    if near < _NEAR_SHARE or 0 < high < 255 - _NEAR:
        raise Refused(
            "mask_jpeg",
            "The mask is a JPEG, whose compression blurs the class values.",
            "Save the mask as PNG from the original annotation.",
        )
    return np.where(values >= HALF, np.uint8(WHITE), np.uint8(0))
