"""Makes pictures smaller while they are read: JPEG and JPEG 2000 by less of their frequencies, others in
strips.

An image's pixels are means of those they cover. A mask's are single ones of them, so that each is a value
that the mask has; they are those which lie where the image's are. So a mask is no JPEG 2000.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile

from workers.ingest.pictures import limits
from workers.ingest.pictures.large_whole import WholePicture, is_whole, whole_picture
from workers.ingest.pictures.opencv_safe import is_plain
from workers.ingest.problems import Refused
from workers.ingest.raster import bmp, jpeg2000
from workers.ingest.raster.color_modes import WIDE_MODES, Note, to_rgb
from workers.ingest.raster.open import any_raster
from workers.ingest.raster.orientation import BROKEN, exif_orientation
from workers.ingest.raster.png import SIGNATURE
from workers.ingest.raster.shrink import Size, capped, shrink_area, shrink_nearest
from workers.ingest.raster.strips import Raster, Values, picture_broken
from workers.prepared.version import Uint8

_JPEG_START = b"\xff\xd8\xff"
_READERS: dict[bytes, Callable[[io.BytesIO], Image.Image]] = {
    _JPEG_START: JpegImageFile,
    SIGNATURE: PngImageFile,
    b"II": TiffImageFile,
    b"MM": TiffImageFile,
    b"P": PpmImageFile,
    bmp.SIGNATURE: BmpImageFile,
    **dict.fromkeys(jpeg2000.STARTS, Jpeg2KImageFile),
    b"GIF8": GifImageFile,
}
_COEFFICIENTS = 6  # bytes of a pixel of a progressive JPEG, all of which are in memory


@dataclass(frozen=True, kw_only=True)
class LargePicture:
    """A picture whose header is read: `opened` where it is a JPEG or JPEG 2000, `whole` where it is read in
    no parts, else `raster`.

    `size` is width and height as stored.
    """

    size: Size
    data: bytes
    opened: Image.Image | None
    raster: Raster | None
    whole: WholePicture | None = None

    @property
    def format(self) -> str | None:
        """As Pillow calls it."""
        if self.raster is not None:
            return self.raster.format
        if self.whole is not None:
            return self.whole.format
        return None if self.opened is None else self.opened.format

    @property
    def turns_itself(self) -> bool:
        """Whether it is shown turned even as a mask: a TIFF is."""
        return self.format == "TIFF"

    @property
    def is_one_bit(self) -> bool:
        """Whether it has two values, black and white."""
        return self.raster is not None and self.raster.bits == 1 and self.raster.palette is None

    @property
    def orientation(self) -> int:
        """That of EXIF, 1 to 8."""
        if self.raster is not None:
            return self.raster.orientation
        if self.whole is not None:
            return self.whole.orientation
        return 1 if self.opened is None else exif_orientation(self.opened, [])

    def image(self, max_side: int) -> tuple[Values, list[Note]]:
        """Its pixels as stored, (H, W, 1 or 3) of any depth, the longer side at most `max_side`, and what
        is to be known of it. Raises Refused."""
        smaller = capped(self.size, max_side)
        if self.whole is not None:
            return self.whole.image(smaller)
        if self.format == "JPEG2000":
            return self._jpeg2000(smaller, max_side)
        if self.raster is None:
            return self._jpeg(smaller, max_side, cv2.INTER_AREA), []
        _check(self.raster, len(self.data), smaller, max_side)
        values = shrink_area(map(self.raster.colored, self.raster.strips()), self.size, smaller)
        return values, self.raster.notes

    def mask(self, smaller: Size) -> Values:
        """Single values of its pixels, (H, W, channels as stored); palettes give indices. Raises Refused."""
        if self.format == "JPEG2000":
            raise limits.in_no_parts("a mask's values are lost when a JPEG 2000 is made smaller")
        if self.whole is not None:
            return self.whole.mask(smaller)
        if self.raster is None:
            return self._jpeg(smaller, max(smaller), cv2.INTER_NEAREST_EXACT)
        _check(self.raster, len(self.data), smaller, max(smaller))
        return shrink_nearest(self.raster.strips(), self.size, smaller)

    def _jpeg(self, smaller: Size, max_side: int, way: int) -> Values:
        assert self.opened is not None  # noqa: S101 - the caller has looked
        width, height = self.size
        part = next(
            p
            for p in (8, 4, 2, 1)
            if p == 1 or (-(-width // p) >= smaller[0] and -(-height // p) >= smaller[1])
        )
        plain = is_plain(self.opened, self.data)
        pixels = (3 if plain else 7) * -(-width // part) * -(-height // part)
        needed = len(self.data) + pixels + 3 * smaller[0] * smaller[1]
        needed += _COEFFICIENTS * width * height if "progressive" in self.opened.info else 0
        if needed > limits.MAX_MEMORY:
            raise limits.takes_too_much(width, height, needed, max_side)
        found = _reduced_by_opencv(self.data, part) if plain else _reduced_by_pillow(self.opened, part)
        return np.asarray(cv2.resize(found, smaller, interpolation=way), np.uint8)

    def _jpeg2000(self, smaller: Size, max_side: int) -> tuple[Values, list[Note]]:
        """The pixels of the resolution next above the size wanted, made smaller from there."""
        assert isinstance(self.opened, Jpeg2KImageFile)  # noqa: S101 - the caller has looked
        opened, notes = self.opened, list[Note]()
        ratio = min(side // wanted for side, wanted in zip(self.size, smaller, strict=True))
        halvings = min(ratio.bit_length() - 1, jpeg2000.most_halvings(self.data))
        needed = len(self.data) + jpeg2000.decoding_bytes(self.data, halvings) + 6 * smaller[0] * smaller[1]
        if needed > limits.MAX_MEMORY:
            raise limits.takes_too_much(*self.size, needed, max_side)
        if opened.mode == "P":
            raise _in_no_parts()  # what lies between two indices is another colour
        opened.reduce = halvings
        opened.load()
        wide = opened.mode == "F" or opened.mode in WIDE_MODES
        found = np.asarray(opened) if wide else to_rgb(opened, notes)
        values = cv2.resize(found, smaller, interpolation=cv2.INTER_AREA)
        return values.reshape(smaller[1], smaller[0], -1), notes


def open_large(data: bytes, max_side: int) -> LargePicture:
    """A picture to be read smaller; raises Refused where it is too large even so, or of a kind that cannot
    be."""
    if data.startswith((_JPEG_START, *jpeg2000.STARTS)):
        opened = open_large_header(data, max_side)
        return LargePicture(size=opened.size, data=data, opened=opened, raster=None)
    raster = any_raster(data)
    if raster is not None:
        _check_pixels(raster.size, max_side)
        return LargePicture(size=raster.size, data=data, opened=None, raster=raster)
    whole = whole_picture(data)
    if whole is None:
        raise _in_no_parts()
    _check_pixels(whole.size, max_side)
    return LargePicture(size=whole.size, data=data, opened=None, raster=None, whole=whole)


def open_large_header(data: bytes, max_side: int | None = None) -> Image.Image:
    """As `open_header` for a picture of more pixels than that opens; raises Refused."""
    readers = (reader for start, reader in _READERS.items() if data.startswith(start))
    reader = next(readers, None)
    if reader is None:
        raise _in_no_parts()
    try:
        image = reader(io.BytesIO(data))  # not by Image.open, which has a limit of its own
    except Image.DecompressionBombError as error:  # that of the reader of GIF
        raise limits.too_large(str(error), max_side) from error
    except BROKEN as error:
        raise picture_broken(error) from error
    _check_pixels(image.size, max_side)
    return image


def color_strips(data: bytes) -> Iterator[Uint8]:
    """All pixels of such a picture of 8 bits, as RGB, (rows, W, 3), some rows at a time. Raises Refused."""
    raster = any_raster(data)
    if raster is None or raster.deep:
        raise _in_no_parts()
    _check_pixels(raster.size, None)
    for strip in raster.strips():
        colors = raster.colored(strip)
        yield colors if colors.shape[2] > 1 else np.repeat(colors, 3, axis=2)


def in_parts(data: bytes) -> bool:
    """Whether a picture is of a format that can be made smaller while, or as soon as, it is read."""
    return data.startswith(tuple(_READERS)) or is_whole(data)


def _in_no_parts() -> Refused:
    return limits.in_no_parts("it is not read in parts")


def _check_pixels(size: Size, max_side: int | None) -> None:
    if size[0] * size[1] > limits.MAX_REDUCED_PIXELS:
        raise limits.too_large(f"{size[0]}x{size[1]}", max_side)


def _check(raster: Raster, file_bytes: int, smaller: Size, max_side: int) -> None:
    strip = 12 * raster.channels * (1 << 20)
    out = smaller[0] * smaller[1] * raster.channels * raster.dtype.itemsize
    needed = file_bytes + 2 * raster.block_bytes + strip + out
    if needed > limits.MAX_MEMORY:
        raise limits.takes_too_much(raster.width, raster.height, needed, max_side)


def _reduced_by_opencv(data: bytes, part: int) -> Values:
    kind = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}
    flags = kind.get(part, cv2.IMREAD_REDUCED_COLOR_8) | cv2.IMREAD_IGNORE_ORIENTATION
    found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if found is None:
        raise Refused("image_broken", "The picture cannot be read.", "Replace it by a whole copy.")
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB, found)


def _reduced_by_pillow(opened: Image.Image, part: int) -> Values:
    opened.draft("RGB", (-(-opened.width // part), -(-opened.height // part)))
    return np.asarray(opened.convert("RGB"))
