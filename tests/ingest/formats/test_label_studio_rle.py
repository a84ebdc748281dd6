"""The run-length code of brush strokes: what is encoded comes back, what is damaged is refused."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.formats.junk import DRAWN, scribbled
from tests.ingest.made import Array
from workers.ingest.formats.tools.label_studio_rle import decode_brush
from workers.ingest.problems import Refused

LENGTH_BITS = (3, 4, 8, 16)


def encode_brush(mask: Array, literal: int = 5) -> bytes:
    """The run-length code of a mask as alpha; runs of up to `literal` bytes are written one by one."""
    rgba = np.repeat(mask.reshape(-1).astype(np.uint8) * 255, 4)
    bits = "".join(f"{number - 1:0{width}b}" for number, width in [(8, 5)] + [(n, 4) for n in LENGTH_BITS])
    ends = [*np.flatnonzero(np.diff(rgba)) + 1, rgba.size]
    start = 0
    for end in ends:
        run = rgba[start:end]
        choice = next(i for i, width in enumerate(LENGTH_BITS) if run.size <= 1 << width)
        count = 1 if run.size > literal else run.size
        bits += f"{int(count == 1)}{choice:02b}{run.size - 1:0{LENGTH_BITS[choice]}b}"
        bits += "".join(f"{byte:08b}" for byte in run[:count])
        start = int(end)
    bits += "0" * (-len(bits) % 8)
    return struct.pack(">L", rgba.size) + int(bits, 2).to_bytes(len(bits) // 8, "big")


@settings(DRAWN, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 5, 8]))
def test_brush_strokes_come_back(seed: int, height: int, width: int, literal: int) -> None:
    chance = np.random.default_rng(seed)
    mask = (chance.random((height, width)) < chance.random()).astype(np.uint8)
    decoded = decode_brush(encode_brush(mask, literal), mask.size)
    assert np.array_equal(decoded.reshape(mask.shape), mask)


def test_literals_that_start_anywhere_are_read() -> None:
    """Bytes 0 to 3 repeated, then 4 to 9 one by one, then the rest: the borders cut pixels apart."""
    rgba = bytes([0, 0, 0, 0, 9, 9, 9, 0, 7, 7, 7, 255])
    head = struct.pack(">L", 12)
    bits = "00111" + "0010" * 4
    bits += "1" + "00" + "010" + f"{0:08b}"
    for start, end in ((3, 9), (9, 12)):
        bits += "0" + "00" + f"{end - start - 1:03b}" + "".join(f"{b:08b}" for b in rgba[start:end])
    bits += "0" * (-len(bits) % 8)
    assert decode_brush(head + int(bits, 2).to_bytes(len(bits) // 8, "big"), 3).tolist() == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("cut", [0, 3, 6, 12])
def test_a_cut_off_code_is_refused(cut: int) -> None:
    with pytest.raises(Refused):
        decode_brush(encode_brush(np.eye(8, dtype=np.uint8))[:cut], 64)


@settings(DRAWN, max_examples=200)
@given(scribbled(encode_brush(np.eye(8, dtype=np.uint8))))
def test_a_scribbled_code_is_refused_or_read(data: bytes) -> None:
    try:
        decoded = decode_brush(data, 64)
    except Refused:
        return
    assert decoded.shape == (64,)
    assert decoded.dtype == np.bool_
