"""Reads AVIF of 10 and 12 bits, of which Pillow keeps 8.

Source: AV1 Codec ISO Media File Format Binding 1.2, 2.3.3: the box av1C.
"""

import io

import cv2
import numpy as np
from PIL import Image

from workers.ingest.raster.color_modes import NOTHING_TO_DO, Note
from workers.ingest.raster.orientation import BROKEN, exif_orientation
from workers.ingest.raster.strips import Raster, Strips, colors_and_alpha, picture_unread

_BRANDS = (b"avif", b"avis")
_HEADER = 1 << 16
"""Bytes in which the boxes that describe a picture lie."""
_HIGH, _TWELVE = 0x40, 0x20
"""Bits of the third byte of av1C: more than 8 bits, and 12 of them."""


def avif_raster(data: bytes) -> Raster | None:
    """An AVIF of more than 8 bits; None for any other file, and one that Pillow cannot open."""
    if data[4:8] != b"ftyp" or data[8:12] not in _BRANDS:
        return None
    at = data.find(b"av1C", 0, _HEADER)
    flags = data[at + 6 : at + 7] if at >= 0 else b""
    if not flags or not flags[0] & _HIGH:
        return None
    try:
        opened = Image.open(io.BytesIO(data), formats=("AVIF",))
    except (*BROKEN, Image.DecompressionBombError):
        return None  # it is opened again by what tells why
    notes: list[Note] = []
    if getattr(opened, "n_frames", 1) > 1:
        message = "Only the first frame is used."
        notes.append(Note(code="several_frames", message=message, remedy=NOTHING_TO_DO))
    bits = 12 if flags[0] & _TWELVE else 10
    bands = len(opened.getbands())

    def strips() -> Strips:
        values = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        )
        if values is None or values.dtype != np.uint16 or values.shape[:2] != (opened.height, opened.width):
            raise picture_unread(f"An AVIF of {bands} bands with {bits} bits, or a damaged one,")
        if values.ndim == 2:
            yield values[..., None]
            return
        colors = np.dstack([values[..., 2::-1], values[..., 3:]])
        opaque = (1 << bits) - 1 if colors.shape[2] > 3 else None
        yield from colors_and_alpha(iter([colors]), 3, opaque, notes)

    return Raster(
        format="AVIF",
        width=opened.width,
        height=opened.height,
        channels=1 if bands == 1 else 3,
        bits=bits,
        dtype=np.dtype(np.uint16),
        block_bytes=8 * (bands + 1) * opened.width * opened.height,
        strips=strips,
        orientation=exif_orientation(opened, notes),
        notes=notes,
    )
