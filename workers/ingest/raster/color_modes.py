"""Turns pictures of every mode that Pillow reads into 8-bit RGB, a part at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from workers.ingest.problems import Refused
from workers.prepared.version import Uint8

BAND_PIXELS = 1 << 20
"""Pixels that are converted at a time: more would need the picture several times over."""

WIDE_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
"""Pillow's modes of one channel of 16 bits or more."""

NOTHING_TO_DO = "Nothing, if that is meant."


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
    """The pixels of a loaded picture of 8 bits, (H, W, 3) uint8 RGB; what the user should know goes to the
    notes. Raises Refused for modes that have no plain meaning as RGB."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    found: dict[str, Note] = {}
    for rows, band in bands(image):
        pixels[rows] = _color_to_rgb(band, found)
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
