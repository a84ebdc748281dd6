"""Which way up a picture is shown, by its EXIF data."""

import struct
import zlib

import cv2
from PIL import ExifTags, Image

from workers.ingest.raster.color_modes import Note
from workers.ingest.raster.strips import Values

FIRST_TRANSPOSED = 5
"""EXIF orientations from here on swap width and height."""

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    MemoryError,  # asked for by a damaged header: whole pictures are bounded by MAX_PIXELS
    struct.error,
    zlib.error,
    cv2.error,
)
"""What Pillow's and OpenCV's readers meet broken files with."""


def oriented(pixels: Values, orientation: int) -> Values:
    """Apply an EXIF orientation, 1 to 8, to an array of rows (Exif 2.32, tag 0x0112)."""
    if orientation >= FIRST_TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def exif_orientation(image: Image.Image, notes: list[Note]) -> int:
    """EXIF's orientation; 1, upright, for none, an illegal value, or EXIF data that cannot be parsed."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except BROKEN as error:
        notes.append(
            Note(
                code="exif_broken",
                message=f"The EXIF data cannot be read ({error}); the image is taken as upright.",
                remedy="Check that it is; if not, save it again turned.",
            )
        )
        return 1
    return _legal(value)


def orientation_of(exif: bytes) -> int:
    """The same of a block of EXIF data."""
    data = Image.Exif()
    try:
        data.load(exif)
        return _legal(data.get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return 1


def _legal(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
