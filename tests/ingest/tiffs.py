"""Writes TIFFs and PNGs that Pillow does not write: of many bands, in planes and tiles, of 16 bits."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.ingest.made import Array

_KINDS = {"u": 1, "i": 2, "f": 3}


def tiff(
    pixels: Array,
    *,
    order: str = "<",
    photometric: int | None = None,
    extra: Sequence[int] | None = None,
    planar: bool = False,
    tile: int | None = None,
    rows: int | None = None,
    deflate: bool = False,
    predictor: int = 1,
    big: bool = False,
    more: dict[int, Any] | None = None,
    pages: Sequence[Array] = (),
) -> bytes:
    """A TIFF of pixels, (H, W) or (H, W, bands); `extra` says what samples behind the colours are."""
    head = struct.pack(f"{order}2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    head += struct.pack(f"{order}HHQ", 8, 0, 0) if big else struct.pack(f"{order}L", 0)
    data = bytearray(head)
    link = 8 if big else 4
    form = {
        "order": order,
        "planar": planar,
        "tile": tile,
        "rows": rows,
        "deflate": deflate,
        "predictor": predictor,
    }
    for page in (pixels, *pages):
        values = page if page.ndim == 3 else page[..., None]
        bands = values.shape[2]
        meaning = photometric if photometric is not None else (2 if bands >= 3 else 1)
        spare = bands - (3 if meaning == 2 else 1)
        blocks = [_packed(block, form) for block in _blocks(values, form)]
        offsets = []
        for block in blocks:
            offsets.append(len(data))
            data += block
        tags: dict[int, Any] = {
            256: [values.shape[1]],
            257: [values.shape[0]],
            258: [values.dtype.itemsize * 8] * bands,
            259: [8 if deflate else 1],
            262: [meaning],
            277: [bands],
            284: [2 if planar else 1],
            317: [predictor],
            339: [_KINDS[values.dtype.kind]] * bands,
        }
        tags |= {338: list(extra if extra is not None else [0] * spare)} if spare else {}
        places = ((324, offsets), (325, [len(block) for block in blocks]))
        if tile:
            tags |= {322: [tile], 323: [tile], **dict(places)}
        else:
            tags |= {278: [rows or values.shape[0]], 273: places[0][1], 279: places[1][1]}
        data, link = _directory(data, tags | (more or {}), link, order, big)
    return bytes(data)


def _blocks(values: Array, form: dict[str, Any]) -> list[Array]:
    height, width, bands = values.shape
    planes = [values[..., band : band + 1] for band in range(bands)] if form["planar"] else [values]
    blocks = []
    for plane in planes:
        if form["tile"]:
            side = form["tile"]
            padded = np.pad(plane, ((0, -height % side), (0, -width % side), (0, 0)))
            blocks += [
                padded[top : top + side, left : left + side]
                for top in range(0, height, side)
                for left in range(0, width, side)
            ]
        else:
            rows = form["rows"] or height
            blocks += [plane[top : top + rows] for top in range(0, height, rows)]
    return blocks


def _packed(block: Array, form: dict[str, Any]) -> bytes:
    stored = block.dtype.newbyteorder(form["order"])
    if form["predictor"] == 2:
        block = np.diff(block, axis=1, prepend=np.zeros_like(block[:, :1]))
    raw = block.astype(stored).tobytes()
    if form["predictor"] == 3:
        size, (height, width, bands) = block.dtype.itemsize, block.shape
        high_first = block.astype(block.dtype.newbyteorder(">")).tobytes()
        places = np.frombuffer(high_first, np.uint8).reshape(height, width * bands, size)
        row = np.ascontiguousarray(places.transpose(0, 2, 1)).reshape(height, -1, bands)
        raw = np.diff(row, axis=1, prepend=np.zeros_like(row[:, :1])).tobytes()
    return zlib.compress(raw) if form["deflate"] else raw


def _directory(
    data: bytearray, tags: dict[int, Any], link: int, order: str, big: bool
) -> tuple[bytearray, int]:
    """Append a list of tags; returns the place of the link to the next."""
    room, wide = (8, "Q") if big else (4, "L")
    entries = b""
    for tag in sorted(tags):
        value = tags[tag]
        text = isinstance(value, bytes)
        raw = value if text else struct.pack(f"{order}{len(value)}{wide}", *value)
        entries += struct.pack(f"{order}HH{wide}", tag, 2 if text else (16 if big else 4), len(value))
        if len(raw) > room:
            entries += struct.pack(f"{order}{wide}", len(data))
            data += raw
        else:
            entries += raw.ljust(room, b"\0")
    struct.pack_into(f"{order}{wide}", data, link, len(data))
    data += struct.pack(f"{order}{'Q' if big else 'H'}", len(tags)) + entries
    return data + bytes(room), len(data)


def png(values: Array, *, bits: int = 16, color: int | None = None, orientation: int = 0) -> bytes:
    """A PNG of 16 bits, or of rows already packed, (H, bytes) uint8; filters are of every kind in turn."""
    height, width = values.shape[:2]
    bands = values.shape[2] if values.ndim == 3 else 1
    color = {1: 0, 2: 4, 3: 2, 4: 6}[bands] if color is None else color
    raw = values.astype(">u2") if bits == 16 else values
    rows = np.frombuffer(raw.tobytes(), np.uint8).reshape(height, -1)
    step = max(bands * bits // 8, 1)
    body = b"".join(_filtered(rows, row, row % 5, step) for row in range(height))
    width = width if bits >= 8 else width * 8 // bits
    head = struct.pack(">LLBBBBB", width, height, bits, color, 0, 0, 0)
    exif = b""
    if orientation:
        tag = struct.pack("<HHLHH", 0x0112, 3, 1, orientation, 0)
        exif = chunk(b"eXIf", b"II*\0" + struct.pack("<LH", 8, 1) + tag + bytes(4))
    packed = zlib.compress(body)
    half = len(packed) // 2
    idat = chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", packed[half:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + exif + idat + chunk(b"IEND", b"")


def _filtered(rows: Array, row: int, kind: int, step: int) -> bytes:
    """A row as PNG filters it: none, left, above, mean, Paeth."""
    line = rows[row].astype(int)
    above = rows[row - 1].astype(int) if row else np.zeros_like(line)
    left = np.concatenate((np.zeros(step, int), line[:-step]))
    corner = np.concatenate((np.zeros(step, int), above[:-step]))
    guess = left + above - corner
    off = [np.abs(guess - one) for one in (left, above, corner)]
    paeth = np.where((off[0] <= off[1]) & (off[0] <= off[2]), left, np.where(off[1] <= off[2], above, corner))
    predicted = (np.zeros_like(line), left, above, (left + above) // 2, paeth)[kind]
    return bytes([kind]) + ((line - predicted) % 256).astype(np.uint8).tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
