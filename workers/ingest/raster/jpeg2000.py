"""Reads JPEG 2000 of colours with more than 8 bits, of which Pillow keeps 8, and tells what decoding takes.

Source: ITU-T T.800 (2015), A.5.1: the marker SIZ.
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from workers.ingest.raster.color_modes import Note
from workers.ingest.raster.strips import Raster, Strips, dropped_bands, picture_broken, picture_unread

STARTS = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_SIZ = b"\xff\x4f\xff\x51"
_COD, _LEVELS = b"\xff\x52", 9
"""A marker, and where behind its start the number of levels stands."""
_HEADER = 1 << 16
_COLORS = 3
_PILLOWS = 7
"""Bytes of a pixel that Pillow and a copy as RGB take, beside what OpenJPEG takes of a band."""


@dataclass(frozen=True)
class _Siz:
    """Pixels of a picture and of a tile, and how deep the bands are: bits less 1, and 128 with a sign."""

    width: int
    height: int
    tile: int
    depths: bytes


def decoding_bytes(data: bytes, halvings: int = 0) -> int:
    """Bytes that decoding takes beside the file's own, each side halved so many times: OpenJPEG has 5 for
    each value of a tile. 0 where this is no JPEG 2000. Raises Refused."""
    siz = _siz(data)
    if siz is None:
        return 0
    return (5 * len(siz.depths) * siz.tile + _PILLOWS * siz.width * siz.height) >> (2 * halvings)


def most_halvings(data: bytes) -> int:
    """How many times a JPEG 2000 can be halved: the levels that its marker COD tells (A.6.1)."""
    at = data.find(_COD, data.find(_SIZ) + len(_SIZ), _HEADER)
    return data[at + _LEVELS] if 0 <= at < len(data) - _LEVELS else 0


def _siz(data: bytes) -> _Siz | None:
    """What the header says; None for any other file. Raises Refused."""
    at = data.find(_SIZ) if data.startswith(STARTS) else -1
    if at < 0 or len(data) < at + 42 + 3:
        return None
    right, bottom, left, top, tile_width, tile_height = struct.unpack_from(">6L", data, at + 8)
    (bands,) = struct.unpack_from(">H", data, at + 40)
    depths = data[at + 42 : at + 42 + 3 * bands : 3]
    if right <= left or bottom <= top or not depths or not (tile_width and tile_height):
        raise picture_broken("its header makes no sense")
    width, height = right - left, bottom - top
    return _Siz(width, height, min(tile_width, width) * min(tile_height, height), depths)


def jpeg2000_raster(data: bytes) -> Raster | None:
    """A JPEG 2000 of several bands and more than 8 bits; None for any other file. Raises Refused."""
    siz = _siz(data)
    if siz is None:
        return None
    depths, bands = siz.depths, len(siz.depths)
    width, height = siz.width, siz.height
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
