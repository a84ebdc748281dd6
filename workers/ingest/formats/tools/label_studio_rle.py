"""Label Studio's run-length code of brush strokes: an RGBA picture, of which alpha is the mask.

Format: label_studio_sdk/converter/brush.py, which reads the packing of thi.ng/rle-pack. The head is the
number of bytes of the picture (32 bits), the bits of a byte less 1 (5 bits), and four sizes of lengths, each
in bits less 1 (4 bits each). Blocks follow: one bit, set where one byte is repeated; two bits that choose the
size of the length; the length less 1; then that byte, or as many bytes as the length says.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workers.ingest.regions.bitmaps import bad_bitmap
from workers.ingest.regions.polygons import Bools

_CHANNELS = 4
_ALPHA = 3
_BYTE = 8  # bits


class _Bits:
    """Reads numbers off the front of bytes, the highest bit first."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._at = 0

    def take(self, bits: int) -> int:
        """The next number of so many bits; raises Refused where there are no more."""
        end = self._at + bits
        last = -(-end // _BYTE)
        if last > len(self._packed):
            raise bad_bitmap("its run-length code ends too early")
        window = int.from_bytes(self._packed[self._at // _BYTE : last], "big")
        self._at = end
        return (window >> (last * _BYTE - end)) & ((1 << bits) - 1)


def decode_brush(packed: bytes, pixels: int) -> Bools:
    """What is opaque, (pixels,) bool, of a picture of so many pixels; raises Refused.

    `pixels` bytes are allocated: check them before.
    """
    bits = _Bits(packed)
    size, byte = bits.take(32), bits.take(5) + 1
    if size != pixels * _CHANNELS or byte != _BYTE:
        raise bad_bitmap(
            f"its run-length code is for {size} values of {byte} bits, not for {pixels} pixels of "
            f"{_CHANNELS} values of {_BYTE} bits"
        )
    opaque = np.zeros(pixels, np.bool_)
    start = 0
    for length, values in _blocks(bits, size):
        end = start + length
        alpha = values if values.size == 1 else values[(_ALPHA - start) % _CHANNELS :: _CHANNELS]
        opaque[start // _CHANNELS : end // _CHANNELS] = alpha > 0
        start = end
    return opaque


def _blocks(bits: _Bits, size: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Lengths that sum up to `size`, each with its bytes: one that is repeated, or so many."""
    length_bits = [bits.take(4) + 1 for _ in range(4)]
    left = size
    while left > 0:
        repeated = bits.take(1)
        length = bits.take(length_bits[bits.take(2)]) + 1
        if length > left:
            raise bad_bitmap("its run-length code is longer than the picture")
        count = 1 if repeated else length
        yield length, np.frombuffer(bits.take(count * _BYTE).to_bytes(count, "big"), np.uint8)
        left -= length
