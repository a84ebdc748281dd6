"""Turns the bytes of a picture file into an RGB array as it is displayed, or says why not."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from workers.ingest.pictures.decoding_memory import READ_WHOLE, check_before, check_memory, check_raster
from workers.ingest.pictures.depth import by_own_range
from workers.ingest.pictures.large import in_parts, open_large
from workers.ingest.pictures.limits import MAX_PIXELS, TooLarge, in_no_parts, too_large
from workers.ingest.pictures.opencv_safe import is_plain
from workers.ingest.problems import Refused
from workers.ingest.raster.color_modes import NOTHING_TO_DO, WIDE_MODES, Note, to_rgb
from workers.ingest.raster.open import special_raster
from workers.ingest.raster.orientation import BROKEN, FIRST_TRANSPOSED, exif_orientation, oriented
from workers.ingest.raster.shrink import Size, read_whole
from workers.ingest.raster.strips import UNREAD, Raster, Values, picture_broken
from workers.ingest.raster.tiff import tiff_raster
from workers.ingest.raster.tiff_header import is_tiff, read_page
from workers.prepared.version import Uint8

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000", "AVIF")
"""What Pillow may be asked to read; some of its other readers start programs or unpack without bounds."""

Image.preinit()  # here, so that processes forked from one that has imported this need not

_UNKNOWN = "image_unknown"
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """An image as displayed; `orientation` is EXIF's, 1 to 8, `stored_size` (width, height) before it.

    `pixels`, (H, W, 3) RGB of 8 bits, may be a view with its rows or columns in any order. Where `deep`,
    they are (H, W, 1 or 3) of another kind of number, as stored. They are fewer than `size` says where the
    image is so large that it was made smaller while it was read.
    """

    pixels: Values
    orientation: int
    stored_size: Size
    notes: tuple[Note, ...]

    @property
    def size(self) -> Size:
        """Width and height as displayed, of the file."""
        return self.stored_size if self.orientation < FIRST_TRANSPOSED else self.stored_size[::-1]

    @property
    def kept_size(self) -> Size:
        """Width and height of the pixels, as displayed."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def reduced(self) -> bool:
        """Whether it was made smaller while it was read."""
        return self.kept_size != self.size

    @property
    def deep(self) -> bool:
        """Whether its pixels have another kind of number than 8 bits."""
        return self.pixels.dtype != np.uint8


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


Begin = Callable[[int, int, bool], None]
"""An Admit for images: told, too, whether this one takes more memory than one of 8 bits read whole."""


def begin_at_once(width: int, height: int, heavy: bool) -> None:
    """A Begin for who decodes one image at a time."""


def decode_image(data: bytes) -> DecodedImage:
    """Decode an image as 8-bit RGB; one of more bits by its own range, where there is no set to go by.

    Raises Refused where it is broken, too large or of an unknown kind.
    """
    image = decode(data)
    return replace(image, pixels=by_own_range(image.pixels)) if image.deep else image


def decode(data: bytes, begin: Begin = begin_at_once, max_side: int | None = None) -> DecodedImage:
    """Decode an image in the depth that it has; raises Refused as `decode_image` does.

    With `max_side`, one that is too large to be read whole is made so small, in pixels, while it is read.
    """
    whole = False
    try:
        picture = _open(data)
        if isinstance(picture, Raster):
            whole = picture.format in READ_WHOLE
            check_raster(picture, len(data))
            begin(*picture.size, picture.deep)
            return _of_raster(picture)
        if max_side is not None:
            check_before(picture, data)
    except TooLarge:
        if max_side is None or whole or not in_parts(data):
            raise
        return _decode_large(data, begin, max_side)
    begin(*picture.size, False)
    return _of_loaded(load_opened(picture, data, cv2.IMREAD_COLOR_RGB))


def _open(data: bytes) -> Raster | Image.Image:
    """An image whose header is read: by Pillow where that has a mode for all that is in it."""
    raster = special_raster(data)
    if raster is not None:
        return raster
    try:
        return open_header(data)
    except Refused as refusal:
        if refusal.problem_code != _UNKNOWN or not is_tiff(data):
            raise
        return _unknown_to_pillow(data, refusal)


def _unknown_to_pillow(data: bytes, refusal: Refused) -> Raster:
    """A TIFF for which Pillow has no mode. Where it is damaged, Pillow's refusal stands."""
    try:
        return tiff_raster(data, read_page(data))
    except Refused as other:
        raise (other if other.problem_code == UNREAD else refusal) from other


def _of_loaded(loaded: Loaded) -> DecodedImage:
    size = loaded.image.size
    pixels = _wide_pixels(loaded.image) if _is_wide(loaded.image) else rgb_pixels(loaded)
    if pixels.shape[0] * pixels.shape[1] != size[0] * size[1]:
        raise picture_broken(
            f"its header says {size[0]}x{size[1]}, its pixels are {pixels.shape[1]}x{pixels.shape[0]}"
        )
    if not loaded.turned:
        return _displayed(pixels, loaded.orientation, size, loaded.notes)
    upright = _displayed(pixels, 1, size, loaded.notes)
    stored = size[::-1] if loaded.orientation >= FIRST_TRANSPOSED else size
    return _noted(replace(upright, orientation=loaded.orientation, stored_size=stored))


def _of_raster(raster: Raster) -> DecodedImage:
    try:
        pixels = read_whole(raster)
    except BROKEN as error:
        raise picture_broken(error) from error
    return _displayed(raster.colored(pixels), raster.orientation, raster.size, raster.notes)


def _decode_large(data: bytes, begin: Begin, max_side: int) -> DecodedImage:
    picture = open_large(data, max_side)
    begin(*picture.size, True)
    try:
        pixels, notes = picture.image(max_side)
    except BROKEN as error:
        raise picture_broken(error) from error
    return _displayed(pixels, picture.orientation, picture.size, notes)


def _displayed(pixels: Values, orientation: int, stored: Size, notes: Sequence[Note]) -> DecodedImage:
    """An image of pixels as they are stored; those of 8 bits become RGB."""
    if pixels.dtype == np.uint8 and pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    turned = oriented(pixels, orientation)
    return _noted(
        DecodedImage(pixels=turned, orientation=orientation, stored_size=stored, notes=tuple(notes))
    )


def _noted(image: DecodedImage) -> DecodedImage:
    """The image, with a note where it cannot be told whether its mask was drawn on it turned."""
    if image.orientation == 1 or image.size != image.stored_size:
        return image
    note = Note(
        code="orientation_ambiguous",
        message="EXIF turns the image, not its size; the mask is taken as drawn on the turned image.",
        remedy="Look at the overlay; if the mask lies wrong, save the image turned.",
    )
    return replace(image, notes=(*image.notes, note))


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep OpenCV from starting threads: processes are forked, and each picture is one core's work."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


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
        check_memory(image, data, plain)
        if plain:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), fast_flags | cv2.IMREAD_IGNORE_ORIENTATION)
            if pixels is not None:
                orientation = 1 if image.format == "PNG" else exif_orientation(image, notes)
                fast = np.asarray(pixels, np.uint8)
                return Loaded(image=image, orientation=orientation, turned=False, notes=notes, fast=fast)
        turned = image.format == "TIFF"
        early = exif_orientation(image, notes) if turned else 1  # a TIFF's is gone once it is loaded
        several = getattr(image, "n_frames", 1) > 1 and image.format != "MPO"  # a camera's MPO adds a preview
        image.load()
        orientation = early if turned else exif_orientation(image, notes)
    except BROKEN as error:
        raise picture_broken(error) from error
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
            _UNKNOWN,
            "This is no picture of a known format, or its first bytes are damaged.",
            f"Save it as PNG or JPEG; the formats read are {', '.join(FORMATS)}.",
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(str(error), data) from error
    except BROKEN as error:
        raise picture_broken(error) from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f"{image.width}x{image.height}", data)
    return image


def _too_large(found: str, data: bytes) -> TooLarge:
    return too_large(found) if in_parts(data) else in_no_parts(found)


def rgb_pixels(loaded: Loaded) -> Uint8:
    """The pixels of a picture loaded as one of colours, (H, W, 3) uint8 RGB, before orientation."""
    if loaded.fast is not None:
        return loaded.fast
    if _is_wide(loaded.image):
        return by_own_range(_wide_pixels(loaded.image))
    return to_rgb(loaded.image, loaded.notes)


def _is_wide(image: Image.Image) -> bool:
    """Whether a picture has one channel of more than 8 bits, or of floats."""
    return image.mode == "F" or image.mode in WIDE_MODES


def _wide_pixels(image: Image.Image) -> Values:
    values = np.asarray(image)
    return values.astype(values.dtype.newbyteorder("="), copy=False)[..., None]
