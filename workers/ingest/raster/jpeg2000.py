"""Reads JPEG 2000 of colours with more than 8 bits, of which Pillow keeps 8.

Source: ITU-T T.800 (2015), A.5.1: the marker SIZ.
"""

import struct

import cv2
import numpy as np

from workers.ingest.raster.color_modes import Note
from workers.ingest.raster.strips import Raster, Strips, dropped_bands, picture_broken, picture_unread

_STARTS = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_SIZ = b"\xff\x4f\xff\x51"
_COLORS = 3


def jpeg2000_raster(data: bytes) -> Raster | None:
    """A JPEG 2000 of several bands and more than 8 bits; None for any other file. Raises Refused."""
    at = data.find(_SIZ) if data.startswith(_STARTS) else -1
    if at < 0 or len(data) < at + 42 + 3:
        return None
    right, bottom, left, top = struct.unpack_from(">4L", data, at + 8)
    (bands,) = struct.unpack_from(">H", data, at + 40)
    depths = data[at + 42 : at + 42 + 3 * bands : 3]
    if right <= left or bottom <= top or not depths:
        raise picture_broken("its header makes no sense")
    bits = max((depth & 0x7F) + 1 for depth in depths)
    if bits <= 8 or bands == 1:
        return None
    if bits > 16 or bands not in (_COLORS, 4) or any(depth & 0x80 for depth in depths):
        raise picture_unread(f"A JPEG 2000 of {bands} bands with {bits} bits")
    notes: list[Note] = [dropped_bands(bands, (1, 2, 3))] if bands > _COLORS else []

    def strips() -> Strips:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if values is None or values.dtype != np.uint16 or values.ndim != _COLORS:
            raise picture_unread(f"A JPEG 2000 of {bands} bands with {bits} bits, or a damaged one,")
        yield values[..., 2::-1]

    width, height = right - left, bottom - top
    return Raster(
        format="JPEG2000",
        width=width,
        height=height,
        channels=_COLORS,
        bits=bits,
        dtype=np.dtype(np.uint16),
        block_bytes=6 * bands * width * height,
        strips=strips,
        notes=notes,
    )
