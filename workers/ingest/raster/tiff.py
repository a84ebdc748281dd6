"""Reads TIFFs of any depth and number of bands, block by block.

Pillow has no mode for most of them, and OpenCV takes neither planes nor many bands. Blocks that are packed
otherwise than by deflate are unpacked by libtiff, through Pillow: each is shown to it as a grey picture of 8
bits whose rows are the block's bytes. What the bytes mean is worked out here.
"""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
from PIL import Image

from workers.ingest.raster.color_modes import NOTHING_TO_DO, Note
from workers.ingest.raster.strips import (
    Raster,
    Strips,
    Values,
    colors_and_alpha,
    dropped_bands,
    picture_broken,
    picture_unread,
    strip_rows,
)
from workers.ingest.raster.tiff_header import PALETTE, RGB, WHITE_IS_ZERO, TiffPage, check_readable
from workers.prepared.version import Uint8

_PLAIN, _JPEG, _DEFLATE, _OLD_DEFLATE = 1, 7, 8, 32946
_BY_LIBTIFF = {5: "LZW", 32773: "PackBits", 34925: "LZMA", 50000: "ZSTD"}
_YCBCR = 6
_HORIZONTAL, _FLOATING = 2, 3
_RGB_SAMPLES = 3


def tiff_raster(data: bytes, page: TiffPage) -> Raster:
    """The first page of a TIFF as grey or the first three bands; what is left out is noted.

    Raises Refused, naming bands and depth, where it is of a kind that is not read.
    """
    if page.compression == _JPEG and page.photometric == _YCBCR:
        page = replace(page, photometric=RGB)  # libjpeg turns it into RGB
    check_readable(page)
    colors = _RGB_SAMPLES if page.samples - len(page.alpha) >= _RGB_SAMPLES else 1
    alpha = page.alpha[0] if page.alpha[:1] == (colors,) else None
    blocks = _Blocks(data, page, colors + (alpha is not None))
    notes = _notes(page, colors)
    opaque = None if alpha is None else (1.0 if page.kind == "f" else float(2**page.bits - 1))

    def strips() -> Strips:
        return colors_and_alpha(blocks.strips(), colors, opaque, notes)

    return Raster(
        format="TIFF",
        width=page.width,
        height=page.height,
        channels=colors,
        bits=page.bits,
        dtype=blocks.dtype,
        block_bytes=blocks.memory,
        strips=strips,
        orientation=page.orientation,
        palette=_palette(page),
        notes=notes,
    )


def _notes(page: TiffPage, colors: int) -> list[Note]:
    notes = []
    bands = page.samples - len(page.alpha)
    if bands > colors:
        numbers = [number for number in range(1, page.samples + 1) if number - 1 not in page.alpha]
        notes.append(dropped_bands(bands, numbers[:colors]))
    if page.pages > 1:
        message = f"Only the first of {page.pages} pages is used."
        notes.append(Note(code="several_frames", message=message, remedy=NOTHING_TO_DO))
    return notes


def _palette(page: TiffPage) -> Uint8 | None:
    if page.photometric != PALETTE or page.color_map is None:
        return None
    palette = np.zeros((256, 3), np.uint8)
    table = page.color_map[: len(page.color_map) // 3 * 3].reshape(3, -1).T[:256]
    palette[: len(table)] = table >> 8
    return palette


class _Blocks:
    """The pixels of a page, of the first `kept` samples, in the machine's own kind of number."""

    def __init__(self, data: bytes, page: TiffPage, kept: int) -> None:
        self._data = memoryview(data)
        self._page = page
        self._kept = kept
        self._stored = 1 if page.planar else page.samples
        self._row_bytes = -(-page.block_width * self._stored * page.bits // 8)
        self.dtype = _dtype(page)
        self._across = -(-page.width // page.block_width)
        raw = self._row_bytes * page.block_height * self._across * (kept if page.planar else 1)
        self.memory = 4 * min(raw, raw if self._packed else 16 << 20)

    @property
    def _packed(self) -> bool:
        return self._page.compression != _PLAIN or self._page.tiled

    def strips(self) -> Strips:
        """See `Raster.strips`. Raises Refused."""
        page = self._page
        step = page.block_height
        for number, top in enumerate(range(0, page.height, step)):
            rows = min(step, page.height - top)
            some = rows if self._packed else min(rows, strip_rows(page.width))
            for first in range(0, rows, some):
                yield self._rows(number, first, min(some, rows - first))

    def _rows(self, number: int, first: int, rows: int) -> Values:
        """Rows of the blocks that lie beside each other, `number` such rows of blocks from the top."""
        page = self._page
        strip = np.empty((rows, page.width, self._kept), self.dtype)
        down = -(-page.height // page.block_height)
        for plane in range(self._kept if page.planar else 1):
            for column in range(self._across):
                index = (plane * down + number) * self._across + column
                left = column * page.block_width
                part = strip[:, left : left + page.block_width]
                values = self._values(self._bytes(index, first, rows), rows)[:, : part.shape[1]]
                if page.planar:
                    part[..., plane] = values[..., 0]
                else:
                    part[...] = values[..., : self._kept]
        return strip

    def _bytes(self, index: int, first: int, rows: int) -> Uint8:
        """The bytes of rows of a block, (rows, bytes of a row)."""
        page = self._page
        start, count = int(page.offsets[index]), int(page.counts[index])
        skipped, size = first * self._row_bytes, rows * self._row_bytes
        if count == 0:
            return np.zeros((rows, self._row_bytes), np.uint8)  # GDAL: a block left out is empty
        packed = self._data[start : start + count]
        if page.compression == _PLAIN:
            raw: memoryview | bytes = packed[skipped : skipped + size]
        elif page.compression in (_DEFLATE, _OLD_DEFLATE):
            raw = _inflated(packed, size)
        else:
            raw = self._by_libtiff(packed, size)
        if len(raw) < size:
            raise picture_broken(f"a block of pixels has {len(raw)} bytes instead of {size}")
        return np.frombuffer(raw, np.uint8, size).reshape(rows, self._row_bytes)

    def _by_libtiff(self, packed: memoryview, size: int) -> bytes:
        page = self._page
        width, height = self._row_bytes, size // self._row_bytes
        tags: dict[int, tuple[int, ...] | bytes] = {}
        if page.compression == _JPEG and page.bits == 8 and self._stored in (1, _RGB_SAMPLES):
            width, height = page.block_width, page.block_height if page.tiled else height
            tags |= {347: page.jpeg_tables} if page.jpeg_tables else {}
            colored = self._stored == _RGB_SAMPLES
            tags |= {530: page.subsampling} if colored and page.subsampling else {}
            photometric = (_YCBCR if page.subsampling else RGB) if colored else 1
        elif page.compression in _BY_LIBTIFF:
            photometric = 1
        else:
            raise picture_unread(
                f"A TIFF of {page.samples} band(s) with {page.bits} bits and compression {page.compression}"
            )
        samples = _RGB_SAMPLES if photometric != 1 else 1
        tags |= {256: (width,), 257: (height,), 258: (8,) * samples, 259: (page.compression,)}
        tags |= {262: (photometric,), 266: (page.fill_order,), 277: (samples,), 278: (height,)}
        with Image.open(io.BytesIO(_one_block(tags, bytes(packed))), formats=("TIFF",)) as image:
            return image.convert("RGB").tobytes() if samples > 1 else image.tobytes()

    def _values(self, raw: Uint8, rows: int) -> Values:
        """The numbers that the bytes of rows stand for, (rows, block width, samples)."""
        page = self._page
        if page.predictor == _FLOATING and page.kind == "f":
            raw = _unpredicted_floats(raw, page, self._stored)
        shape = rows, page.block_width, self._stored
        if page.bits in (8, 16, 32, 64):
            order = ">" if page.predictor == _FLOATING else page.order
            stored = np.dtype(f"{order}{page.kind}{page.bits // 8}")
            values = np.ascontiguousarray(raw).view(stored).reshape(shape).astype(stored.newbyteorder("="))
        else:
            values = _unpacked(raw, page.bits, page.block_width * self._stored).reshape(shape)
        if page.predictor == _HORIZONTAL and page.kind != "f":
            values = np.add.accumulate(values, axis=1, dtype=values.dtype)
        return self._meant(values)

    def _meant(self, values: Values) -> Values:
        """Numbers as an image has them: white is high, small numbers fill 8 bits, no data is no number."""
        page = self._page
        blank = None if page.nodata in (None, 0) else values == page.nodata
        if page.photometric == WHITE_IS_ZERO and page.kind == "u":
            values = values.dtype.type(2**page.bits - 1) - values
        if page.bits < 8 and page.photometric != PALETTE:
            values = values * np.uint8(255 // (2**page.bits - 1))
        values = values.astype(self.dtype, copy=False)
        if blank is not None and values.dtype.kind == "f":
            values[blank] = np.nan
        return values


def _dtype(page: TiffPage) -> np.dtype[np.generic]:
    """The kind of number that strips have: floats where 32 bits cannot hold it, or where data may miss."""
    if page.kind == "f" or page.bits > 32:
        return np.dtype(np.float32)
    if page.nodata not in (None, 0) and (page.bits > 8 or page.kind == "i"):
        return np.dtype(np.float32)
    if page.bits <= 8:
        return np.dtype(f"{page.kind}1")
    return np.dtype(f"{page.kind}{2 if page.bits <= 16 else 4}")


def _inflated(packed: memoryview, size: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise picture_broken(f"a block of pixels is damaged: {error}") from error


def _unpacked(raw: Uint8, bits: int, numbers: int) -> Values:
    """Numbers of less than a byte, or of 10 to 14 bits, that follow each other without a gap in each row."""
    single = np.unpackbits(raw, axis=1)[:, : numbers * bits].reshape(len(raw), numbers, bits)
    values = np.zeros((len(raw), numbers), np.uint8 if bits < 8 else np.uint16)
    for place in range(bits):
        values = (values << 1) | single[..., place]
    return values


def _unpredicted_floats(raw: Uint8, page: TiffPage, stored: int) -> Uint8:
    """Bytes of floats, the highest first, of rows whose bytes are differences, all highest ones in front."""
    size = page.bits // 8
    whole = np.add.accumulate(raw.reshape(len(raw), -1, stored), axis=1, dtype=np.uint8)
    planes = whole.reshape(len(raw), size, page.block_width * stored)
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(len(raw), -1)


def _one_block(tags: dict[int, tuple[int, ...] | bytes], packed: bytes) -> bytes:
    """A TIFF of one strip, whose packed bytes are these."""
    entries = dict(tags) | {273: (0,), 279: (len(packed),)}
    room = 8 + 2 + 12 * len(entries) + 4
    long: list[bytes] = []
    place = room
    body = b""
    for tag in sorted(entries):
        value = entries[tag]
        raw = value if isinstance(value, bytes) else struct.pack(f"<{len(value)}L", *value)
        kind = 7 if isinstance(value, bytes) else 4
        count = len(value)
        if tag == 273:
            raw = struct.pack("<L", 0)  # set below, once the place of the pixels is known
            at_offset = 8 + 2 + 12 * sorted(entries).index(273) + 8
        elif len(raw) > 4:
            long.append(raw)
            raw, place = struct.pack("<L", place), place + len(raw)
        body += struct.pack("<HHL", tag, kind, count) + raw.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<LH", 8, len(entries)) + body + bytes(4) + b"".join(long)
    return head[:at_offset] + struct.pack("<L", len(head)) + head[at_offset + 4 :] + packed
