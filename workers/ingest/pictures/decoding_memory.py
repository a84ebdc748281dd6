"""How much memory it takes to decode a picture, told by its header."""

from PIL import Image

from workers.ingest.pictures.limits import MAX_MEMORY, MAX_PIXELS, in_no_parts, takes_too_much, too_large
from workers.ingest.pictures.opencv_safe import is_plain
from workers.ingest.raster.jpeg2000 import decoding_bytes
from workers.ingest.raster.orientation import exif_orientation
from workers.ingest.raster.strips import Raster

_MOST_BYTES = 28
READ_WHOLE = ("AVIF", "JPEG2000")
"""Of more than 8 bits these are read in no other way."""


def check_memory(image: Image.Image, data: bytes, plain: bool) -> None:
    """Raise Refused where decoding would take more than MAX_MEMORY.

    OpenCV needs the RGB pixels, and of a progressive JPEG all coefficients; Pillow has four bytes per pixel
    beside ours, and twice where it turns a TIFF; OpenJPEG has those of a tile beside these.
    """
    per_pixel = 3 if plain else 7  # with what is added below, at most _MOST_BYTES
    if image.format == "JPEG" and "progressive" in image.info:
        per_pixel += 6
    if image.format == "TIFF" and exif_orientation(image, []) > 1:
        per_pixel += 4
    needed = len(data) + max(per_pixel * image.width * image.height, decoding_bytes(data))
    if needed > MAX_MEMORY:
        raise takes_too_much(image.width, image.height, needed)


def check_before(image: Image.Image, data: bytes) -> None:
    """The same, for who has another way to read it; most are so small that it need not be known how plain."""
    if len(data) + _MOST_BYTES * image.width * image.height > MAX_MEMORY:
        check_memory(image, data, is_plain(image, data))


def check_raster(raster: Raster, file_bytes: int) -> None:
    """Raise Refused where a picture is too large to be read whole."""
    pixels = raster.width * raster.height
    if pixels > MAX_PIXELS:
        found = f"{raster.width}x{raster.height}"
        raise in_no_parts(found) if raster.format in READ_WHOLE else too_large(found)
    needed = file_bytes + raster.block_bytes + pixels * raster.channels * raster.dtype.itemsize
    if needed > MAX_MEMORY:
        raise takes_too_much(raster.width, raster.height, needed)
