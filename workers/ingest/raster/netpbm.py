"""Reads binary PGM and PPM with all their bits, without a copy of their pixels.

Source: the manual pages pgm(5) and ppm(5) of Netpbm: the values of a file reach from 0 to its "maxval".
"""

import re

import numpy as np

from workers.ingest.raster.strips import Raster, Strips, Values, picture_broken, strip_rows

_HEADER = re.compile(rb"P([56])((?:\s|#[^\n\r]*[\n\r])+\d{1,10}){3}\s")
_COMMENT = re.compile(rb"#[^\n\r]*")
_LONGEST_HEADER = 4096


def netpbm_raster(data: bytes) -> Raster | None:
    """A binary PGM or PPM; None where the file is none. Raises Refused where it is cut off."""
    header = _HEADER.match(data[:_LONGEST_HEADER])
    if header is None:
        return None
    width, height, highest = map(int, _COMMENT.sub(b"", header[0])[2:].split())
    if min(width, height, highest) < 1 or highest > 0xFFFF:
        raise picture_broken("its header makes no sense")
    channels = 1 if header[1] == b"5" else 3
    stored = np.dtype(">u2" if highest > 0xFF else "u1")
    if len(data) - header.end() < width * height * channels * stored.itemsize:
        raise picture_broken("it is cut off")
    pixels = np.frombuffer(data, stored, width * height * channels, header.end())
    rows = pixels.reshape(height, width, channels)

    def strips() -> Strips:
        some = strip_rows(width)
        for top in range(0, height, some):
            yield _meant(rows[top : top + some], highest)

    return Raster(
        format="PPM",
        width=width,
        height=height,
        channels=channels,
        bits=highest.bit_length(),
        dtype=stored.newbyteorder("="),
        block_bytes=4 * min(strip_rows(width), height) * width * channels * stored.itemsize,
        strips=strips,
    )


def _meant(values: Values, highest: int) -> Values:
    """Values of the machine's byte order; those of less than 8 bits fill them, as in every other format."""
    if highest < 0xFF:
        return (np.minimum(values, highest).astype(np.uint16) * 255 // highest).astype(np.uint8)
    return values.astype(values.dtype.newbyteorder("="), copy=False)
