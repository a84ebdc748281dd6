"""A picture as its file holds it, read some rows at a time: any depth, and as many channels as are kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.ingest.problems import Refused
from workers.ingest.raster.color_modes import BAND_PIXELS, NOTHING_TO_DO, Note

UNREAD = "image_mode"
"""The code of a problem: a picture is of a kind that is not read."""

Values = NDArray[Any]
"""Numbers of a picture, (H, W, channels), of the machine's byte order."""

Strips = Iterator[Values]
"""Rows of a picture from the top, a few at a time, (rows, W, channels)."""


@dataclass(frozen=True, kw_only=True)
class Raster:
    """A picture whose header is read.

    `channels` are those of the strips, `dtype` is their kind of number. `palette`, (256, 3), gives colours to
    the values of one channel. `block_bytes` is what one step of reading takes. `notes` may grow while strips
    are read. `bits` is how many bits a channel of the file has.
    """

    format: str
    width: int
    height: int
    channels: int
    bits: int
    dtype: np.dtype[Any]
    block_bytes: int
    strips: Callable[[], Strips]
    orientation: int = 1
    palette: NDArray[np.uint8] | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    def colored(self, values: Values) -> Values:
        """Values of the picture, or the colours that its palette gives them."""
        return values if self.palette is None else self.palette[values[..., 0]]

    @property
    def deep(self) -> bool:
        """Whether its numbers are not those of 8 bits without a sign."""
        return self.dtype != np.uint8


def strip_rows(width: int) -> int:
    """Rows of a picture that make about BAND_PIXELS pixels."""
    return max(BAND_PIXELS // width, 1)


def colors_and_alpha(strips: Strips, colors: int, opaque: float | None, notes: list[Note]) -> Strips:
    """The first `colors` channels of strips; where the next one is alpha, of which `opaque` is the value for
    opaque pixels, a note says that it is left out if any pixel is not."""
    transparent = False
    for strip in strips:
        if opaque is not None and not transparent:
            transparent = bool((strip[..., colors] != opaque).any())
        yield strip[..., :colors]
    if transparent:
        message = "Transparency is left out; the colours below it are used."
        notes.append(Note(code="alpha_dropped", message=message, remedy=NOTHING_TO_DO))


def picture_broken(why: object) -> Refused:
    """A picture whose file is damaged."""
    return Refused(
        "image_broken",
        f"The picture cannot be read: {why}.",
        "Replace it by a whole copy, or take it and its partner out of the set.",
    )


def picture_unread(what: str) -> Refused:
    """A picture of a kind that is not read."""
    return Refused(
        "image_mode", f"{what} is not read.", "Save it as RGB or grey, with 8 or 16 bits a channel."
    )


def dropped_bands(count: int, kept: Sequence[int]) -> Note:
    """That of `count` bands only those `kept`, counted from 1, are used."""
    left_out = [number for number in range(1, count + 1) if number not in kept]
    return Note(
        code="bands_dropped",
        message=f"The image has {count} bands: {_listed(kept)} used, {_listed(left_out)} left out.",
        remedy="Nothing, if these are red, green and blue; else send images with the three bands wanted.",
    )


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"band {numbers[0]} is"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"bands {numbers[0]} to {numbers[-1]} are"
    return f"bands {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} are"
