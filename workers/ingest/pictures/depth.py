"""How images of more than 8 bits, of 32 bits and of floats become 8 bits: by the range of the whole set.

The rule, for each channel of all images of one kind of number:

1. The lowest and the highest value are those that a median of 3 x 3 pixels leaves, so that a dead or a hot
   pixel does not count. Where those of single pixels are not further out than once more the same range, they
   count after all, and nothing is cut off.
2. Whole numbers that begin below half of the highest begin at 0, and the highest is rounded up to the
   next full scale: 255, 511, 1023, 2047, 4095, 8191, 10000 (reflectance), 16383, 32767, 65535 and so on.
   Floats of which the highest is above 0.5 and at most 1 end at 1, those from 127 to 255 end at 255.
3. Other ranges, with negative values or far from 0, are taken as they are.
4. What lies outside is cut off; what is no number (NaN, infinity, no data) becomes 0.

So 12 bits in 16 are read as 12 bits, and all images of a set stay comparable.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.raster.strips import Values, strip_rows
from workers.prepared.version import Uint8

LARGEST = 1e30
"""Numbers beyond this stand for no data: some programs write the lowest float that there is."""

REFLECTANCE = 10_000
"""The full scale of surface reflectance as satellites' products have it: 1 times 10,000."""

_SUPPORTED_BY_MEDIAN = (np.uint8, np.uint16, np.int16, np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelRange:
    """The lowest and highest value of a channel: of single pixels, and those that a median leaves."""

    lowest: float
    highest: float
    low: float
    high: float

    def joined(self, other: "ChannelRange") -> "ChannelRange":
        """The range of both."""
        return ChannelRange(
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """The values of a channel that become 0 and 255."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """What the numbers of an image are: their kind, `uint16` and so on, the range of each channel, and how
    many pixels have none. A channel without any number has no range."""

    kind: str
    channels: tuple[ChannelRange | None, ...]
    blank: int = 0

    def joined(self, other: "Depth") -> "Depth":
        """That of two images of one kind and as many channels."""
        ranges = tuple(joined(*pair) for pair in zip(self.channels, other.channels, strict=True))
        return Depth(kind=self.kind, channels=ranges, blank=self.blank + other.blank)

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The scale of each channel by the rule."""
        return tuple(_scale(self.kind, channel) for channel in self.channels)


def depth_of(values: Values) -> Depth:
    """The depth of an image, (H, W, channels) of any number that is not 8 bits without a sign."""
    found: list[ChannelRange | None] = [None] * values.shape[2]
    blank = 0
    for band in _bands(values):
        known = np.abs(band) < LARGEST if band.dtype.kind == "f" else None  # false for NaN
        if known is not None:
            blank += int(np.count_nonzero(~known.all(axis=2)))
        for channel in range(values.shape[2]):
            plane = np.ascontiguousarray(band[..., channel])
            if known is not None:
                plane = _without_blanks(plane, known[..., channel])
            if plane.size:
                found[channel] = joined(found[channel], _range(plane))
    return Depth(kind=values.dtype.name, channels=tuple(found), blank=blank)


def to_eight_bits(values: Values, scales: Sequence[Scale]) -> Iterator[tuple[int, Uint8]]:
    """An image, (H, W, 1 or 3), as 8-bit RGB: bands, (rows, W, 3), each with the row that it begins at."""
    top = 0
    for band in _bands(values):
        planes = [_scaled(band[..., number], scale) for number, scale in enumerate(scales)]
        yield top, np.dstack(planes * (3 // len(planes)))
        top += len(band)


def by_own_range(values: Values) -> Uint8:
    """An image as 8-bit RGB, (H, W, 3), by its own range alone: where there is no set to go by."""
    return by_scales(values, depth_of(values).scales)


def by_scales(values: Values, scales: Sequence[Scale]) -> Uint8:
    """An image, (H, W, 1 or 3), as 8-bit RGB, (H, W, 3), by the scale of each channel."""
    pixels = np.empty((*values.shape[:2], 3), np.uint8)
    for top, band in to_eight_bits(values, scales):
        pixels[top : top + len(band)] = band
    return pixels


def full_scale(kind: str, highest: float) -> float:
    """The end of the range of values from 0 to `highest`, rounded up as the rule says."""
    if kind.startswith("float"):
        return next((end for end in (1.0, 255.0) if end / 2 < highest <= end), highest)
    end = max((1 << int(np.ceil(highest)).bit_length()) - 1, 0xFF)
    return REFLECTANCE if end / 2 < highest <= REFLECTANCE < end else end


def _scale(kind: str, found: ChannelRange | None) -> Scale:
    if found is None:
        return Scale(low=0, high=1)
    reach = found.high - found.low
    low = found.lowest if found.low - found.lowest <= reach else found.low
    high = found.highest if found.highest - found.high <= reach else found.high
    if 0 <= low < high / 2 or 0 <= low == high:
        return Scale(low=0, high=full_scale(kind, high) or 1)
    return Scale(low=low, high=high if high > low else low + 1)


def _range(plane: Values) -> ChannelRange:
    """The range of one channel of a band, which has no blanks."""
    lowest, highest = float(plane.min()), float(plane.max())
    known = plane if plane.dtype in _SUPPORTED_BY_MEDIAN else plane.astype(np.float32)
    smooth = cv2.medianBlur(known, 3) if plane.ndim == 2 and min(plane.shape) > 2 else known
    low, high = float(smooth.min()), float(smooth.max())
    return ChannelRange(lowest=lowest, highest=highest, low=max(low, lowest), high=min(high, highest))


def _without_blanks(plane: Values, known: NDArray[np.bool_]) -> Values:
    """A channel with what is no number replaced by the middle of its numbers, or nothing without any."""
    if known.all():
        return plane
    numbers = plane[known]
    return np.where(known, plane, np.median(numbers)).astype(plane.dtype) if numbers.size else numbers


def joined(one: ChannelRange | None, other: ChannelRange | None) -> ChannelRange | None:
    """The range of two channels, of which either may have no number."""
    if one is None or other is None:
        return one or other
    return one.joined(other)


def _scaled(plane: Values, scale: Scale) -> Uint8:
    """A channel as 8 bits, rounded."""
    if plane.dtype == np.uint16:
        return _eight_bits(np.arange(1 << 16, dtype=np.float64), scale)[plane]
    return _eight_bits(plane.astype(np.float32 if plane.dtype == np.float32 else np.float64), scale)


def _eight_bits(numbers: Values, scale: Scale) -> Uint8:
    """Floats, which are changed, as 8 bits."""
    known = np.abs(numbers) < LARGEST
    if not known.all():
        numbers[~known] = scale.low
    numbers -= scale.low
    numbers *= 255 / (scale.high - scale.low)
    np.clip(numbers, 0, 255, out=numbers)
    return np.rint(numbers, out=numbers).astype(np.uint8)


def _bands(values: Values) -> Iterator[Values]:
    rows = strip_rows(values.shape[1])
    for top in range(0, len(values), rows):
        yield values[top : top + rows]
