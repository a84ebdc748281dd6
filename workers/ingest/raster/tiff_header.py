"""What the header of a TIFF says: its first page, and how many others there are.

Source: TIFF 6.0 (Adobe, 1992); Supplement 2 for compressions 7 and 8; BigTIFF for files with magic 43;
Technical Note 3 for predictor 3.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workers.ingest.problems import Refused
from workers.ingest.raster.strips import picture_broken, picture_unread

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = range(4)
"""Photometric interpretations that are read here; others are colour spaces, left to Pillow."""

MAX_PAGES = 4096
"""Pages that are counted."""

MAX_BANDS = 4096
"""Bands of a picture; the most that instruments have are some hundreds."""

_STARTS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 17: "i8", 18: "u8"}
_OTHERS = {2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8}  # text, fractions and floats, and their bytes
_KINDS: dict[int, Literal["u", "i", "f"]] = {1: "u", 2: "i", 3: "f", 4: "u"}
_COMPLEX = (5, 6)
_REDUCED_OR_MASK = 0b101  # of NewSubfileType: a smaller copy, or a mask of transparency
_ALPHA = (1, 2)
_ONE_CHANNEL = (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE)

_Tags = dict[int, bytes | NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class TiffPage:
    """The first page of a TIFF.

    Its samples, of `bits` bits each, are unsigned, signed or floats by `kind`. `alpha` are the places of
    samples that are alpha. Pixels come in blocks of `block_width` and `block_height`, strips or tiles, at
    `offsets` of the file with `counts` bytes; with `planar`, each sample has blocks of its own. `nodata` is
    the value that GDAL's tag 42113 gives to pixels without data. `pages` counts all of full size.
    """

    order: str
    width: int
    height: int
    bits: int
    kind: Literal["u", "i", "f"]
    samples: int
    alpha: tuple[int, ...]
    photometric: int
    compression: int
    predictor: int
    fill_order: int
    planar: bool
    tiled: bool
    block_width: int
    block_height: int
    offsets: NDArray[np.uint64]
    counts: NDArray[np.uint64]
    orientation: int
    color_map: NDArray[np.uint16] | None
    jpeg_tables: bytes
    subsampling: tuple[int, ...]
    nodata: float | None
    pages: int

    @property
    def is_ordinary(self) -> bool:
        """Whether it has 8 bits without a sign at most, and no bands beside grey or colours and alpha."""
        if self.bits > 8 or self.kind != "u":
            return False
        colors = 1 if self.photometric in _ONE_CHANNEL else 4 if self.photometric == 5 else 3
        return self.samples - len(self.alpha) == colors and len(self.alpha) <= 1


def is_tiff(data: bytes) -> bool:
    """Whether a file begins as a TIFF does."""
    return data[:4] in _STARTS


def read_page(data: bytes) -> TiffPage:
    """Read the header of a TIFF; raises Refused where it makes no sense."""
    try:
        return _page(data)
    except (struct.error, ValueError, IndexError, KeyError, OverflowError) as error:
        raise picture_broken(f"its header makes no sense ({type(error).__name__})") from error


def _page(data: bytes) -> TiffPage:
    order = _STARTS[data[:4]]
    directories = _Directories(data, order)
    tags, pages = directories.first_and_count()
    one = _reader(tags)
    width, height, samples = one(256, 0), one(257, 0), one(277, 1)
    tiled = 322 in tags
    offsets, counts = (tags[324], tags[325]) if tiled else (tags[273], tags.get(279))
    if counts is None:
        counts = np.full(len(offsets), len(data))  # some writers leave it out: what is there is taken
    extra = _several(tags, 338, ())
    page = TiffPage(
        order=order,
        width=width,
        height=height,
        bits=_alike(_several(tags, 258, (1,)), "bits"),
        kind=_kind(_alike(_several(tags, 339, (1,)), "kinds of number")),
        samples=samples,
        alpha=tuple(samples - len(extra) + at for at, kind in enumerate(extra) if kind in _ALPHA),
        photometric=one(262, BLACK_IS_ZERO),
        compression=one(259, 1),
        predictor=one(317, 1),
        fill_order=one(266, 1),
        planar=one(284, 1) == 2 and samples > 1,
        tiled=tiled,
        block_width=one(322, 0) if tiled else width,
        block_height=one(323, 0) if tiled else min(one(278, height), height),
        offsets=np.asarray(offsets, np.uint64),
        counts=np.asarray(counts, np.uint64),
        orientation=one(274, 1) if one(274, 1) in range(1, 9) else 1,
        color_map=np.asarray(tags[320], np.uint16) if 320 in tags else None,
        jpeg_tables=bytes(tags.get(347, b"")),
        subsampling=_several(tags, 530, ()),
        nodata=_nodata(tags.get(42113, b"")),
        pages=pages,
    )
    _check(page)
    return page


def _check(page: TiffPage) -> None:
    if min(page.width, page.height, page.block_width, page.block_height, page.samples, page.bits) < 1:
        raise picture_broken("a size in its header is 0")
    if page.samples > MAX_BANDS:
        raise picture_broken(f"its header says {page.samples} bands")
    across, down = -(-page.width // page.block_width), -(-page.height // page.block_height)
    blocks = across * down * (page.samples if page.planar else 1)
    if min(len(page.offsets), len(page.counts)) < blocks:
        raise picture_broken(f"{blocks} blocks of pixels are needed, and it lists {len(page.offsets)}")


class _Directories:
    """The lists of tags of a file, one for each page."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order
        self._big = data[2:4] in (b"+\0", b"\0+")
        self._wide = "Q" if self._big else "L"
        self._entry = 20 if self._big else 12

    def first_and_count(self) -> tuple[_Tags, int]:
        """The tags of the first page, and how many pages there are that are no copies of others."""
        (at,) = self._unpack(self._wide, 8 if self._big else 4)
        first: _Tags | None = None
        pages = 0
        seen: set[int] = set()
        while at and at not in seen and len(seen) < MAX_PAGES:
            seen.add(at)
            try:
                tags, at = self._tags(at, None if first is None else (254,))
            except (struct.error, ValueError, KeyError):
                if first is None:
                    raise
                break  # pages behind a damaged one are not looked for
            pages += first is None or not _reader(tags)(254, 0) & _REDUCED_OR_MASK
            first = tags if first is None else first
        if first is None:
            raise ValueError("no page")
        return first, pages

    def _tags(self, at: int, wanted: Sequence[int] | None) -> tuple[_Tags, int]:
        """The tags at a place of the file, and the place of the next list."""
        (number,) = self._unpack("Q" if self._big else "H", at)
        at += 8 if self._big else 2
        if number * self._entry > len(self._data) - at:
            raise ValueError("more tags than bytes")
        tags: _Tags = {}
        for place in range(at, at + number * self._entry, self._entry):
            tag, kind = self._unpack("HH", place)
            if (kind in _NUMBERS or kind in _OTHERS) and (wanted is None or tag in wanted):
                tags[tag] = self._value(place + 4, kind)
        (following,) = self._unpack(self._wide, at + number * self._entry)
        return tags, following

    def _value(self, at: int, kind: int) -> bytes | NDArray[Any]:
        (count,) = self._unpack(self._wide, at)
        at += 8 if self._big else 4
        size = count * (np.dtype(_NUMBERS[kind]).itemsize if kind in _NUMBERS else _OTHERS[kind])
        if size > (8 if self._big else 4):
            (at,) = self._unpack(self._wide, at)
        if at + size > len(self._data):
            raise ValueError("a tag lies outside the file")
        if kind not in _NUMBERS:
            return self._data[at : at + size]
        dtype = np.dtype(self._order + _NUMBERS[kind])
        return np.frombuffer(self._data, dtype, count, at)

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + form, self._data, at)


def _reader(tags: _Tags) -> Callable[[int, int], int]:
    def one(tag: int, default: int) -> int:
        value = tags.get(tag)
        return default if value is None or not len(value) else int(value[0])

    return one


def _several(tags: _Tags, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
    value = tags.get(tag)
    return default if value is None or not len(value) else tuple(int(number) for number in value)


def _alike(values: Sequence[int], what: str) -> int:
    """The one value that all samples have; raises Refused."""
    if len(set(values)) != 1:
        raise picture_unread(f"A TIFF whose bands have different {what} ({', '.join(map(str, values[:8]))})")
    return values[0]


def _kind(number: int) -> Literal["u", "i", "f"]:
    if number in _COMPLEX:
        raise picture_unread("A TIFF of complex numbers")
    return _KINDS[number]


def _nodata(text: bytes | NDArray[Any]) -> float | None:
    try:
        return float(bytes(text).rstrip(b"\0 "))
    except ValueError:
        return None


def check_readable(page: TiffPage) -> None:
    """Raise Refused where the samples are of a kind that is not read here, naming it."""
    named = f"A TIFF of {page.samples} band(s) with {page.bits} bits"
    legal = {"u": (1, 2, 4, 8, 10, 12, 14, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}
    if page.bits not in legal[page.kind]:
        raise picture_unread(f"{named} of this kind of number")
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE):
        raise picture_unread(f"{named} in the colour space {page.photometric}")
    if page.photometric == PALETTE and (page.bits > 8 or page.color_map is None):
        raise picture_unread(f"{named} and a palette")
    if page.photometric == RGB and page.samples < 3:
        raise Refused("image_broken", f"{named} says that it is RGB.", "Save it again.")
