"""Turns the bytes of a picture file into an RGB array as it is displayed, or says why not."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from workers.ingest.plain import is_plain
from workers.ingest.problems import Refused
from workers.ingest.rgb import NOTHING_TO_DO, Note, to_rgb
from workers.prepared import Uint8

MAX_PIXELS = 50_000_000
"""Pixels of one picture."""

MAX_MEMORY = 420 << 20
"""Bytes that a picture and its decoding may take, so that ingest stays below 500 MB."""

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000", "AVIF")
"""What Pillow may be asked to read; some of its other readers start programs or unpack without bounds."""

FIRST_TRANSPOSED = 5
"""EXIF orientations from here on swap width and height."""

Image.preinit()  # here, so that processes forked from one that has imported this need not

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
# Pillow's readers meet broken files with any of these.
_BROKEN = (
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
)


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """An image as displayed; `orientation` is EXIF's, 1 to 8, `stored_size` (width, height) before it.

    `pixels`, (H, W, 3) RGB, may be a view with its rows or columns in any order.
    """

    pixels: Uint8
    orientation: int
    stored_size: tuple[int, int]
    notes: tuple[Note, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as displayed."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A picture whose pixels are read. Pillow turns a TIFF by itself: then it is `turned` already.

    `fast` are the pixels where OpenCV has read them: as RGB where an image was asked for, else as stored.
    """

    image: Image.Image
    orientation: int
    turned: bool
    notes: list[Note]
    fast: Uint8 | None = None


Admit = Callable[[int, int], None]
"""Called with a picture's width and height before its pixels are decoded: it may wait for memory."""


def admit_at_once(width: int, height: int) -> None:
    """An Admit for who decodes one picture at a time."""


def decode_image(data: bytes, admit: Admit = admit_at_once) -> DecodedImage:
    """Decode an image; raises Refused where it is broken, too large or of an unknown kind."""
    loaded = load(data, cv2.IMREAD_COLOR_RGB, admit)
    size = loaded.image.size
    notes = loaded.notes
    pixels = rgb_pixels(loaded)
    if pixels.shape[0] * pixels.shape[1] != size[0] * size[1]:
        raise _broken(
            ValueError(
                f"its header says {size[0]}x{size[1]}, its pixels are {pixels.shape[1]}x{pixels.shape[0]}"
            )
        )
    if not loaded.turned:
        pixels = oriented(pixels, loaded.orientation)
    elif loaded.orientation >= FIRST_TRANSPOSED:
        size = size[::-1]
    if loaded.orientation > 1 and size == (pixels.shape[1], pixels.shape[0]):
        notes.append(
            Note(
                code="orientation_ambiguous",
                message="EXIF turns the image, not its size; the mask is taken as drawn on the turned image.",
                remedy="Look at the overlay; if the mask lies wrong, save the image turned.",
            )
        )
    return DecodedImage(pixels=pixels, orientation=loaded.orientation, stored_size=size, notes=tuple(notes))


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep OpenCV from starting threads: processes are forked, and each picture is one core's work."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def oriented(pixels: Uint8, orientation: int) -> Uint8:
    """Apply an EXIF orientation, 1 to 8, to an array of rows (Exif 2.32, tag 0x0112)."""
    if orientation >= FIRST_TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def load(data: bytes, fast_flags: int, admit: Admit = admit_at_once) -> Loaded:
    """Read a picture; every failure of Pillow becomes Refused. For `fast_flags` see `load_opened`."""
    image = open_header(data)
    admit(image.width, image.height)
    return load_opened(image, data, fast_flags)


def load_opened(image: Image.Image, data: bytes, fast_flags: int) -> Loaded:
    """Read the pixels of a picture whose header is read, of the file `data`; raises Refused where they are
    broken.

    Where OpenCV surely reads the same, it does, with `fast_flags`: it is quicker and takes less memory.
    """
    notes: list[Note] = []
    try:
        plain = is_plain(image, data)
        _check_memory(image, data, plain)
        if plain:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), fast_flags | cv2.IMREAD_IGNORE_ORIENTATION)
            if pixels is not None:
                orientation = 1 if image.format == "PNG" else _orientation(image, notes)
                fast = np.asarray(pixels, np.uint8)
                return Loaded(image=image, orientation=orientation, turned=False, notes=notes, fast=fast)
        turned = image.format == "TIFF"
        early = _orientation(image, notes) if turned else 1  # a TIFF's is gone once it is loaded
        several = getattr(image, "n_frames", 1) > 1 and image.format != "MPO"  # a camera's MPO adds a preview
        image.load()
        orientation = early if turned else _orientation(image, notes)
    except _BROKEN as error:
        raise _broken(error) from error
    if several:
        notes.append(
            Note(code="several_frames", message="Only the first frame is used.", remedy=NOTHING_TO_DO)
        )
    return Loaded(image=image, orientation=orientation, turned=turned, notes=notes)


def open_header(data: bytes) -> Image.Image:
    """A picture whose size, mode and palette are known and whose pixels are not read yet; raises Refused."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise Refused("image_heic", "HEIC pictures are not read.", "Convert it to JPEG or PNG.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise Refused(
            "image_unknown",
            "This is no picture of a known format, or its first bytes are damaged.",
            f"Save it as PNG or JPEG; the formats read are {', '.join(FORMATS)}.",
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(str(error)) from error
    except _BROKEN as error:
        raise _broken(error) from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f"{image.width}x{image.height}")
    return image


def _broken(error: Exception) -> Refused:
    return Refused(
        "image_broken",
        f"The picture cannot be read: {error}.",
        "Replace it by a whole copy, or take it and its partner out of the set.",
    )


def _check_memory(image: Image.Image, data: bytes, plain: bool) -> None:
    """Raise Refused where decoding would take more than MAX_MEMORY.

    OpenCV needs the RGB pixels, and of a progressive JPEG all coefficients; Pillow has four bytes per pixel
    beside ours, and twice where it turns a TIFF.
    """
    per_pixel = 3 if plain else 7
    if image.format == "JPEG" and "progressive" in image.info:
        per_pixel += 6
    if image.format == "TIFF" and _orientation(image, []) > 1:
        per_pixel += 4
    needed = len(data) + per_pixel * image.width * image.height
    if needed > MAX_MEMORY:
        raise Refused(
            "image_too_large",
            f"Decoding its {image.width}x{image.height} pixels would take {needed >> 20} MB; at most "
            f"{MAX_MEMORY >> 20} MB are used.",
            "Cut it into tiles, or save it as a JPEG that is not progressive.",
        )


def _too_large(found: str) -> Refused:
    return Refused(
        "image_too_large",
        f"The picture is too large: {found}; at most {MAX_PIXELS} pixels are read.",
        "Cut it into tiles.",
    )


def _orientation(image: Image.Image, notes: list[Note]) -> int:
    """EXIF's orientation; 1, upright, for none, an illegal value, or EXIF data that cannot be parsed."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _BROKEN as error:
        notes.append(
            Note(
                code="exif_broken",
                message=f"The EXIF data cannot be read ({error}); the image is taken as upright.",
                remedy="Check that it is; if not, save it again turned.",
            )
        )
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def rgb_pixels(loaded: Loaded) -> Uint8:
    """The pixels of a picture loaded as one of colours, (H, W, 3) uint8 RGB, before orientation."""
    return to_rgb(loaded.image, loaded.notes) if loaded.fast is None else loaded.fast
