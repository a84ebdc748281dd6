"""Reads PNGs row by row, which neither Pillow nor OpenCV does, and with all 16 bits of colours.

The packed stream is inflated some rows at a time. The filters of these rows are undone by OpenCV: it is shown
a PNG of them alone, not packed, with the row above, already unfiltered, in front.

Source: Portable Network Graphics Specification, 3rd edition.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from workers.ingest.raster.color_modes import Note
from workers.ingest.raster.orientation import orientation_of
from workers.ingest.raster.strips import (
    Raster,
    Strips,
    Values,
    colors_and_alpha,
    picture_broken,
    picture_unread,
    strip_rows,
)
from workers.prepared.version import Uint8

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_FED = 64 << 10
# Bytes of a pixel, for filters, and a kind of PNG with as many: bits, kind of colour, and type of its values.
_SHOWN_AS = {1: (8, _GREY), 2: (16, _GREY), 3: (8, _RGB), 4: (8, _RGBA), 6: (16, _RGB), 8: (16, _RGBA)}


@dataclass(frozen=True, kw_only=True)
class _Header:
    width: int
    height: int
    bits: int
    color: int
    interlaced: bool

    @property
    def row_bytes(self) -> int:
        return -(-self.width * self.bits * _CHANNELS[self.color] // 8)

    @property
    def pixel_bytes(self) -> int:
        return max(self.bits * _CHANNELS[self.color] // 8, 1)


def is_deep_png(data: bytes) -> bool:
    """Whether a file begins as a PNG of 16 bits per channel."""
    return data[24:25] == b"\x10" and data.startswith(SIGNATURE)


def png_raster(data: bytes) -> Raster:
    """A PNG as grey or RGB, or with its palette; raises Refused."""
    header = _header(data)
    if header.interlaced and header.bits != 16:
        raise picture_unread("An interlaced PNG of this size")
    body = _body(data)
    channels = _CHANNELS[header.color]
    colors = 3 if channels > 2 else 1
    opaque = float(2**header.bits - 1) if channels > colors else None
    notes: list[Note] = []

    def strips() -> Strips:
        found = _interlaced(data, header) if header.interlaced else _values(body.parts, header)
        return colors_and_alpha(found, colors, opaque, notes)

    rows = header.height if header.interlaced else strip_rows(header.width)
    return Raster(
        format="PNG",
        width=header.width,
        height=header.height,
        channels=colors,
        bits=header.bits,
        dtype=np.dtype(np.uint16 if header.bits == 16 else np.uint8),
        block_bytes=4 * min(rows, header.height) * header.row_bytes,
        strips=strips,
        orientation=body.orientation,
        palette=body.palette if header.color == _PALETTE else None,
        notes=notes,
    )


def _header(data: bytes) -> _Header:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise picture_broken("it ends in its header")
    width, height, bits, color, packing, filters, interlaced = struct.unpack_from(">LLBBBBB", data, 16)
    legal = {_GREY: (1, 2, 4, 8, 16), _PALETTE: (1, 2, 4, 8)}.get(color, (8, 16))
    if not (0 < width < 2**31 and 0 < height < 2**31) or color not in _CHANNELS or bits not in legal:
        raise picture_broken("its header makes no sense")
    if packing or filters or interlaced > 1:
        raise picture_broken("its header names an unknown way of packing")
    return _Header(width=width, height=height, bits=bits, color=color, interlaced=bool(interlaced))


@dataclass(kw_only=True)
class _Body:
    """What comes behind the header: the pieces of the packed stream, the palette, which way up it is."""

    parts: list[memoryview] = field(default_factory=list)
    palette: Uint8 | None = None
    orientation: int = 1


def _body(data: bytes) -> _Body:
    """Look through the chunks; raises Refused for a damaged one."""
    body = _Body()
    view, at, kind = memoryview(data), len(SIGNATURE), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise picture_broken("it is cut off")
        (size,) = struct.unpack_from(">L", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + size
        if end + 4 > len(data):
            raise picture_broken("it is cut off")
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">L", data, end)[0]:
            raise picture_broken(f"a check sum is wrong ({kind!r})")
        if kind == b"IDAT":
            body.parts.append(view[at + 8 : end])
        elif kind == b"PLTE":
            body.palette = _palette(view[at + 8 : end])
        elif kind == b"eXIf":
            body.orientation = orientation_of(data[at + 8 : end])
        at = end + 4
    return body


def _palette(listed: memoryview) -> Uint8:
    palette = np.zeros((256, 3), np.uint8)
    colors = np.frombuffer(listed[: 3 * min(len(listed) // 3, 256)], np.uint8).reshape(-1, 3)
    palette[: len(colors)] = colors
    return palette


def _values(parts: list[memoryview], header: _Header) -> Strips:
    above = np.zeros(header.row_bytes, np.uint8)
    rows = strip_rows(header.width)
    stream = _Stream(parts)
    for top in range(0, header.height, rows):
        some = min(rows, header.height - top)
        raw = _unfiltered(stream.take(some * (header.row_bytes + 1)), above, header)
        above = raw[-1]
        yield _meant(raw, header)


class _Stream:
    """The packed stream, inflated as far as it is asked for."""

    def __init__(self, parts: list[memoryview]) -> None:
        self._pieces = _inflated(parts)
        self._left = b""

    def take(self, size: int) -> bytes:
        """The next bytes; raises Refused where there are not so many."""
        taken = bytearray(self._left)
        while len(taken) < size:
            piece = next(self._pieces, b"")
            if not piece:
                raise picture_broken(f"its pixels end {size - len(taken)} bytes too soon")
            taken += piece
        self._left = bytes(taken[size:])
        return bytes(taken[:size])


def _inflated(parts: list[memoryview]) -> Iterator[bytes]:
    """What the parts inflate to, in pieces of bounded length."""
    inflate = zlib.decompressobj()
    try:
        for part in parts:
            for at in range(0, len(part), _FED):
                waiting: bytes | memoryview = part[at : at + _FED]
                while len(waiting):
                    if piece := inflate.decompress(waiting, 16 * _FED):
                        yield piece
                    waiting = inflate.unconsumed_tail
    except zlib.error as error:
        raise picture_broken(f"its pixels are damaged: {error}") from error


def _unfiltered(filtered: bytes, above: Uint8, header: _Header) -> Uint8:
    """The bytes of rows, (rows, bytes of a row), of which `above` are those of the row before them."""
    bits, color = _SHOWN_AS[header.pixel_bytes]
    rows = len(filtered) // (header.row_bytes + 1)
    shown = struct.pack(">LLBBBBB", header.row_bytes // header.pixel_bytes, rows + 1, bits, color, 0, 0, 0)
    packed = zlib.compress(b"\0" + above.tobytes() + filtered, 0)
    chunks = _chunk(b"IHDR", shown) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    values = cv2.imdecode(np.frombuffer(SIGNATURE + chunks, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.shape[0] != rows + 1:
        raise picture_broken("its rows are damaged")
    values = values[1:]
    if bits == 16:
        values = values.astype(">u2")
    return np.ascontiguousarray(_as_rgb(values)).reshape(rows, -1).view(np.uint8)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def _as_rgb(values: Values) -> Values:
    """Channels in the order of the file: OpenCV gives blue first."""
    if values.ndim < 3:
        return values
    return cv2.cvtColor(values, cv2.COLOR_BGR2RGB if values.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _meant(raw: Uint8, header: _Header) -> Values:
    """The values that the bytes of rows stand for; grey of less than 8 bits fills them."""
    shape = len(raw), header.width, _CHANNELS[header.color]
    if header.bits == 16:
        return raw.view(">u2").astype(np.uint16).reshape(shape)
    if header.bits == 8:
        return raw.reshape(shape)
    single = np.unpackbits(raw, axis=1)[:, : header.width * header.bits]
    values = np.packbits(single.reshape(-1, header.bits), axis=1)[:, 0] >> (8 - header.bits)
    if header.color == _GREY:
        values = values * np.uint8(255 // (2**header.bits - 1))
    return values.reshape(shape)


def _interlaced(data: bytes, header: _Header) -> Strips:
    """The pixels of a PNG of 16 bits whose rows come in turns, at once."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    channels = _CHANNELS[header.color]
    if values is None or values.dtype != np.uint16 or channels not in (1, 3, 4):
        raise picture_unread("An interlaced PNG of this kind")
    yield _as_rgb(values).reshape(header.height, header.width, channels)
