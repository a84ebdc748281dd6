"""Large pictures of kinds that cannot be read in parts: they are decoded whole, as far as memory goes, and
made smaller at once.

WebP and AVIF of 8 bits are decoded by OpenCV into three bytes a pixel, GIF and packed BMP by Pillow into one.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile

from workers.ingest.pictures import limits
from workers.ingest.raster.color_modes import NOTHING_TO_DO, Note
from workers.ingest.raster.orientation import BROKEN, exif_orientation
from workers.ingest.raster.shrink import Size, shrink_area, shrink_nearest
from workers.ingest.raster.strips import Values, picture_broken, strip_rows

_RIFF, _WEBP = b"RIFF", b"WEBP"
_GIFS = (b"GIF87a", b"GIF89a")
_AVIF = (b"avif", b"avis")
_LOSSLESS = b"VP8L"
_DECODED = {"WEBP": 3, "AVIF": 7}
"""Bytes of a pixel that decoding takes beside the file; of a lossless WebP four more."""
_INDEXED = 2
"""Bytes of a pixel of an index, and of a copy of it."""


@dataclass(frozen=True, kw_only=True)
class WholePicture:
    """Such a picture whose header is read; `size` is width and height as stored."""

    format: str
    size: Size
    data: bytes
    opened: Image.Image | None

    @property
    def orientation(self) -> int:
        """That of EXIF, 1 to 8."""
        return 1 if self.opened is None else exif_orientation(self.opened, [])

    def image(self, smaller: Size) -> tuple[Values, list[Note]]:
        """Its pixels, (H, W, 3), made smaller by their means, and what is to be known. Raises Refused."""
        notes = []
        if getattr(self.opened, "n_frames", 1) > 1:
            message = "Only the first frame is used."
            notes.append(Note(code="several_frames", message=message, remedy=NOTHING_TO_DO))
        self._check(smaller)
        if self.format in _DECODED:
            return cv2.resize(self._decoded(), smaller, interpolation=cv2.INTER_AREA), notes
        indices, palette = self._indices()
        return shrink_area((palette[strip] for strip in _strips(indices)), self.size, smaller), notes

    def mask(self, smaller: Size) -> Values:
        """Single values of its pixels, (H, W, 1 or 3); palettes give indices. Raises Refused."""
        self._check(smaller)
        values = self._decoded() if self.format in _DECODED else self._indices()[0][..., None]
        return shrink_nearest(iter((values,)), self.size, smaller)

    def _check(self, smaller: Size) -> None:
        pixels = self.size[0] * self.size[1]
        each = _DECODED.get(self.format, _INDEXED)
        each += 4 if self.format == "WEBP" and _LOSSLESS in self.data[:64] else 0
        needed = len(self.data) + each * pixels + 3 * smaller[0] * smaller[1]
        if needed > limits.MAX_MEMORY:
            raise limits.takes_too_much(*self.size, needed, max(smaller))

    def _decoded(self) -> Values:
        found = cv2.imdecode(
            np.frombuffer(self.data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        )
        if found is None or found.shape[:2] != self.size[::-1]:
            raise picture_broken("it cannot be decoded")
        return np.asarray(found)

    def _indices(self) -> tuple[Values, Values]:
        """The index of each pixel, and the colours, (256, 3); a grey is its own index."""
        assert self.opened is not None  # noqa: S101 - it is no WebP
        try:
            self.opened.load()
        except BROKEN as error:
            raise picture_broken(error) from error
        if self.opened.mode not in ("P", "L"):
            raise limits.in_no_parts(f"it has colours without a palette ({self.opened.mode})")
        palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
        if self.opened.mode == "P":
            listed = np.array(self.opened.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
            palette[: len(listed)] = listed
        return np.asarray(self.opened), palette


def whole_picture(data: bytes) -> WholePicture | None:
    """Such a picture; None for one of another kind. Raises Refused where its header is broken."""
    try:
        if data.startswith(_RIFF) and data[8:12] == _WEBP:
            return WholePicture(format="WEBP", size=_size_of_webp(data), data=data, opened=None)
        opened: Image.Image | None = None
        if data.startswith(_GIFS):
            opened = GifImageFile(io.BytesIO(data))
        elif data[4:8] == b"ftyp" and data[8:12] in _AVIF:
            opened = AvifImageFile(io.BytesIO(data))
        elif data.startswith(b"BM"):
            opened = BmpImageFile(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise limits.too_large(str(error), limits.MAX_REDUCED_PIXELS) from error
    except BROKEN as error:
        raise picture_broken(error) from error
    if opened is None:
        return None
    return WholePicture(format=opened.format or "", size=opened.size, data=data, opened=opened)


def is_whole(data: bytes) -> bool:
    """Whether a picture is of such a kind, by its first bytes."""
    is_webp = data.startswith(_RIFF) and data[8:12] == _WEBP
    return is_webp or data.startswith(_GIFS) or (data[4:8] == b"ftyp" and data[8:12] in _AVIF)


def _size_of_webp(data: bytes) -> Size:
    """Width and height: https://developers.google.com/speed/webp/docs/riff_container. Pillow would take
    memory for two whole pictures to tell them."""
    kind, rest = data[12:16], data[20:30]
    if kind == b"VP8X":
        return int.from_bytes(rest[4:7], "little") + 1, int.from_bytes(rest[7:10], "little") + 1
    if kind == _LOSSLESS:
        bits = int.from_bytes(rest[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(rest[6:8], "little") & 0x3FFF, int.from_bytes(rest[8:10], "little") & 0x3FFF
    raise picture_broken("its header makes no sense")


def _strips(values: Values) -> Iterator[Values]:
    rows = strip_rows(values.shape[1])
    for top in range(0, len(values), rows):
        yield values[top : top + rows]
