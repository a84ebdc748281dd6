"""Turns the bytes of a picture file into an RGB array as it is displayed, or says why not."""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from workers.ingest.problems import Refused
from workers.prepared import Uint8

MAX_PIXELS = 50_000_000
"""Pixels of one picture; such an image takes about 500 MB for a moment while it is decoded."""

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000", "AVIF")
"""What Pillow may be asked to read; some of its other readers start programs or unpack without bounds."""

FIRST_TRANSPOSED = 5
"""EXIF orientations from here on swap width and height."""

_NOTHING = "Nothing, if that is meant."
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
WIDE_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_TWELVE_BITS = 4096
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
class Note:
    """A thing about a picture that the user should know though it can be read."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """An image as displayed; `orientation` is EXIF's, 1 to 8, `stored_size` (width, height) before it."""

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
    """A picture whose pixels are read. Pillow turns a TIFF by itself: then it is `turned` already."""

    image: Image.Image
    orientation: int
    turned: bool
    notes: list[Note]


def decode_image(data: bytes) -> DecodedImage:
    """Decode an image; raises Refused where it is broken, too large or of an unknown kind."""
    loaded = load(data)
    size = loaded.image.size
    notes = loaded.notes
    pixels = _rgb(loaded.image, notes)
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
    return DecodedImage(
        pixels=np.ascontiguousarray(pixels),
        orientation=loaded.orientation,
        stored_size=size,
        notes=tuple(notes),
    )


def oriented(pixels: Uint8, orientation: int) -> Uint8:
    """Apply an EXIF orientation, 1 to 8, to an array of rows (Exif 2.32, tag 0x0112)."""
    if orientation >= FIRST_TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def load(data: bytes) -> Loaded:
    """Read a picture; every failure of Pillow becomes Refused."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise Refused("image_heic", "HEIC pictures are not read.", "Convert it to JPEG or PNG.")
    notes: list[Note] = []
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(f"{image.width}x{image.height}")
        turned = image.format == "TIFF"
        early = _orientation(image, notes) if turned else 1  # a TIFF's is gone once it is loaded
        several = getattr(image, "n_frames", 1) > 1 and image.format != "MPO"  # a camera's MPO adds a preview
        image.load()
        orientation = early if turned else _orientation(image, notes)
    except UnidentifiedImageError as error:
        raise Refused(
            "image_unknown",
            "This is no picture of a known format, or its first bytes are damaged.",
            f"Save it as PNG or JPEG; the formats read are {', '.join(FORMATS)}.",
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(str(error)) from error
    except _BROKEN as error:
        raise Refused(
            "image_broken",
            f"The picture cannot be read: {error}.",
            "Replace it by a whole copy, or take it and its partner out of the set.",
        ) from error
    if several:
        notes.append(Note(code="several_frames", message="Only the first frame is used.", remedy=_NOTHING))
    return Loaded(image=image, orientation=orientation, turned=turned, notes=notes)


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


def _rgb(image: Image.Image, notes: list[Note]) -> Uint8:
    """The picture's pixels as (H, W, 3) uint8 RGB, before orientation."""
    if image.mode in WIDE_MODES:
        return _grey_to_rgb(_scaled_integers(np.asarray(image), notes))
    if image.mode == "F":
        return _grey_to_rgb(_scaled_floats(np.asarray(image)))
    try:
        if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
            image = image.convert("RGBA")
            if image.getchannel("A").getextrema() != (255, 255):
                message = "Transparency is left out; the colours below it are used."
                notes.append(Note(code="alpha_dropped", message=message, remedy=_NOTHING))
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except ValueError as error:
        raise Refused(
            "image_mode", f"Pictures of the kind {image.mode} are not read.", "Save it as RGB."
        ) from error


def _scaled_integers(values: NDArray[np.generic], notes: list[Note]) -> Uint8:
    """Scale 0..65535 to 0..255 by the high byte, the same for every file, so that images stay comparable."""
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise Refused(
            "image_range",
            f"The image has values from {low} to {high}; 16-bit images reach from 0 to 65535.",
            "Save it with 8 or 16 bits per channel.",
        )
    if high < _TWELVE_BITS:
        notes.append(
            Note(
                code="image_dark",
                message=f"The 16-bit image has values up to {high} of 65535 only: it will be nearly black.",
                remedy="Stretch the values to 16 bits and upload the set again.",
            )
        )
    return (values.astype(np.uint16) >> 8).astype(np.uint8)


def _scaled_floats(values: NDArray[np.generic]) -> Uint8:
    """Scale 0..1 to 0..255."""
    floats = values.astype(np.float32)
    low, high = floats.min(), floats.max()
    if not (low >= 0 and high <= 1):
        raise Refused(
            "image_range",
            f"The image has floats from {low:g} to {high:g}; floats are read from 0 to 1.",
            "Scale the values to 0..1, or save it with 8 or 16 bits per channel.",
        )
    return np.rint(floats * 255).astype(np.uint8)


def _grey_to_rgb(grey: Uint8) -> Uint8:
    return np.repeat(grey[:, :, None], 3, axis=2)
