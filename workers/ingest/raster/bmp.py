"""Reads BMP without compression, some rows at a time.

Source: Microsoft, BITMAPFILEHEADER and BITMAPINFOHEADER: rows begin at multiples of 4 bytes, the lowest first
unless the height is negative, and blue is the first of the colours.
"""

import struct

import numpy as np

from workers.ingest.raster.strips import Raster, Strips, Values, picture_broken, strip_rows
from workers.prepared.version import Uint8

SIGNATURE = b"BM"
_FILE_HEADER = 14
_INFO_HEADER = 40
_CHANNELS = {1: 1, 8: 1, 24: 3, 32: 3}
"""By bits of a pixel. The fourth byte of 32 bits has no meaning."""


def bmp_raster(data: bytes) -> Raster | None:
    """A BMP of these bits; None for any other file, and for one that is compressed. Raises Refused where it
    is cut off."""
    if not data.startswith(SIGNATURE) or len(data) < _FILE_HEADER + _INFO_HEADER:
        return None
    start, header, width, tall, _, bits, packed, _, _, _, used = struct.unpack_from("<LLllHHLLllL", data, 10)
    height = abs(tall)
    if header < _INFO_HEADER or packed or bits not in _CHANNELS:
        return None
    if width < 1 or height < 1:
        raise picture_broken("its header makes no sense")
    row_bytes = -(-width * bits // 32) * 4
    if len(data) - start < row_bytes * height:
        raise picture_broken("it is cut off")
    stored = np.frombuffer(data, np.uint8, row_bytes * height, start).reshape(height, row_bytes)
    rows = stored if tall < 0 else stored[::-1]
    palette = _palette(data[_FILE_HEADER + header : start], used or 1 << bits) if bits <= 8 else None
    is_grey = palette is not None and _is_grey(palette, bits)

    def strips() -> Strips:
        some = strip_rows(width)
        for top in range(0, height, some):
            values = _meant(rows[top : top + some], width, bits)
            yield values * np.uint8(255) if is_grey and bits == 1 else values

    return Raster(
        format="BMP",
        width=width,
        height=height,
        channels=_CHANNELS[bits],
        bits=min(bits, 8),
        dtype=np.dtype(np.uint8),
        block_bytes=2 * min(strip_rows(width), height) * row_bytes,
        strips=strips,
        palette=None if is_grey else palette,
    )


def _palette(listed: bytes, count: int) -> Uint8:
    """Colours, (256, 3) RGB; those that are not listed are black."""
    found = np.frombuffer(listed[: 4 * min(len(listed) // 4, count, 256)], np.uint8).reshape(-1, 4)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(found)] = found[:, 2::-1]
    return palette


def _is_grey(palette: Uint8, bits: int) -> bool:
    """Whether each value has the grey of its own, black and white those of one bit."""
    greys = np.array([0, 255] if bits == 1 else range(256), np.uint8)
    return bool((palette[: len(greys)] == greys[:, None]).all())


def _meant(rows: Uint8, width: int, bits: int) -> Values:
    """The values of some rows, (rows, width, 1 or 3)."""
    if bits == 1:
        return np.unpackbits(rows, axis=1)[:, :width, None]
    if bits == 8:
        return rows[:, :width, None]
    pixels = rows[:, : width * bits // 8].reshape(len(rows), width, bits // 8)
    return pixels[..., 2::-1]
