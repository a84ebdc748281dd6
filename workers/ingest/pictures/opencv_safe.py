"""Pictures so plain and so surely whole that OpenCV reads them as Pillow does.

OpenCV is quicker, but returns pixels for a JPEG that is cut off, palettes as colours, and takes PNGs with a
wrong check sum. So a JPEG must reach its end marker, and a PNG must have nothing but the usual chunks, each
with its check sum right.
"""

import struct
import zlib

from PIL import Image

_JPEG_END = b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = 29
_PNG_BITS = 24
_PNG_COLOR_TYPE = 25
_PLAIN_CHUNKS = frozenset((b"IHDR", b"IDAT", b"IEND", b"pHYs", b"tIME", b"sRGB", b"gAMA", b"cHRM", b"bKGD"))


def is_plain(image: Image.Image, data: bytes) -> bool:
    """Whether an opened picture, of which `data` is the file, is one of 8-bit grey or RGB that is plain."""
    if image.mode not in ("L", "RGB"):
        return False
    if image.format == "JPEG":
        return image.info.get("adobe_transform", 1) == 1 and data.rstrip(b"\0\r\n").endswith(_JPEG_END)
    return image.format == "PNG" and _is_plain_png(data)


def is_grey_png(data: bytes) -> bool:
    """Whether a file says that it is a PNG of grey values alone: it has neither colours nor a palette."""
    return data.startswith(_PNG_START) and data[_PNG_COLOR_TYPE : _PNG_COLOR_TYPE + 1] == b"\0"


def is_deep_png(data: bytes) -> bool:
    """Whether a file that is a PNG says that it has 16 bits per channel."""
    return data[_PNG_BITS : _PNG_BITS + 1] == b"\x10"


def _is_plain_png(data: bytes) -> bool:
    """Whether bits per channel are 8, rows are in order, and all chunks are whole.

    Source: Portable Network Graphics Specification, 3rd edition, 5.3 and 11.2.1.
    """
    if len(data) < _PNG_HEADER or not data.startswith(_PNG_START) or data[_PNG_BITS] != 8 or data[28] != 0:
        return False
    at, kind = len(_PNG_START), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            return False
        (size,) = struct.unpack_from(">L", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + size
        if kind not in _PLAIN_CHUNKS or end + 4 > len(data):
            return False
        if zlib.crc32(memoryview(data)[at + 4 : end]) != struct.unpack_from(">L", data, end)[0]:
            return False
        at = end + 4
    return True
