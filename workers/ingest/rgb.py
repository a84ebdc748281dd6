"""Turns pictures of every mode that Pillow reads into 8-bit RGB, a part at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from workers.ingest.problems import Refused
from workers.prepared import Uint8

BAND_PIXELS = 1 << 20
"""Pixels that are converted at a time: more would need the picture several times over."""

WIDE_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
"""Pillow's modes of one channel of 16 bits or more."""

NOTHING_TO_DO = "Nothing, if that is meant."
_TWELVE_BITS = 4096


@dataclass(frozen=True, kw_only=True)
class Note:
    """A thing about a picture that the user should know though it can be read."""

    code: str
    message: str
    remedy: str


def bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """A loaded picture in parts of BAND_PIXELS or a row, from the top, and the rows that each part has."""
    rows = max(BAND_PIXELS // image.width, 1)
    if rows >= image.height:
        yield slice(0, image.height), image
        return
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def to_rgb(image: Image.Image, notes: list[Note]) -> Uint8:
    """The pixels of a loaded picture, (H, W, 3) uint8 RGB; what the user should know goes to the notes.

    Raises Refused for modes and values that have no plain meaning as RGB.
    """
    special = {"F": _float_to_rgb, **dict.fromkeys(WIDE_MODES, _wide_to_rgb)}
    convert = special.get(image.mode, _color_to_rgb)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    found: dict[str, Note] = {}
    highest = 0
    for rows, band in bands(image):
        pixels[rows] = convert(band, found)
        if image.mode in WIDE_MODES:
            highest = max(highest, int(np.asarray(band).max()))
    if image.mode in WIDE_MODES and highest < _TWELVE_BITS:
        notes.append(
            Note(
                code="image_dark",
                message=f"The 16-bit image has values up to {highest} of 65535: it will be nearly black.",
                remedy="Stretch the values to 16 bits and upload the set again.",
            )
        )
    notes.extend(found.values())
    return pixels


def _color_to_rgb(band: Image.Image, found: dict[str, Note]) -> Uint8:
    try:
        if band.mode in ("LA", "PA", "RGBA") or "transparency" in band.info:
            band = band.convert("RGBA")
            if band.getchannel("A").getextrema() != (255, 255):
                message = "Transparency is left out; the colours below it are used."
                found["alpha"] = Note(code="alpha_dropped", message=message, remedy=NOTHING_TO_DO)
        return np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
    except ValueError as error:
        raise Refused(
            "image_mode", f"Pictures of the kind {band.mode} are not read.", "Save it as RGB."
        ) from error


def _wide_to_rgb(band: Image.Image, _: dict[str, Note]) -> Uint8:
    """Scale 0..65535 to 0..255 by the high byte, the same for every file, so that images stay comparable."""
    values = np.asarray(band)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise Refused(
            "image_range",
            f"The image has values from {low} to {high}; 16-bit images reach from 0 to 65535.",
            "Save it with 8 or 16 bits per channel.",
        )
    return (values.astype(np.uint16) >> 8).astype(np.uint8)[:, :, None]


def _float_to_rgb(band: Image.Image, _: dict[str, Note]) -> Uint8:
    """Scale 0..1 to 0..255."""
    floats = np.asarray(band).astype(np.float32)
    low, high = floats.min(), floats.max()
    if not (low >= 0 and high <= 1):
        raise Refused(
            "image_range",
            f"The image has floats from {low:g} to {high:g}; floats are read from 0 to 1.",
            "Scale the values to 0..1, or save it with 8 or 16 bits per channel.",
        )
    return np.rint(floats * 255).astype(np.uint8)[:, :, None]
