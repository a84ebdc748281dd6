"""Turns mask files of colours into arrays of the values that a table gives the colours."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.mask_files import Color, code_of, color_codes, color_of, colored_pixels, hex_of
from workers.ingest.problems import Refused
from workers.ingest.raster.color_modes import BAND_PIXELS
from workers.prepared.version import Uint8

_LISTED = 5
_AT_ONCE = 1 << 12


def decode_colors(
    data: bytes, table: Mapping[Color, int], image: DecodedImage | None = None, *, nearest: bool = False
) -> Uint8:
    """Decode a mask of colours, (H, W) uint8, into the values that the table gives them.

    A colour that the table lacks counts as the nearest of those it has, by the distance in RGB, with
    `nearest`; else Refused is raised, as it is where `decode_image` does.
    """
    pixels = colored_pixels(data, image)
    codes = np.array(sorted(code_of(color) for color in table), np.uint32)
    values = np.array([table[color_of(int(code))] for code in codes], np.uint8)
    mask = np.empty(pixels.shape[:2], np.uint8)
    strange: dict[int, int] = {}
    rows = max(BAND_PIXELS // pixels.shape[1], 1)
    for top in range(0, len(pixels), rows):
        band = color_codes(pixels[top : top + rows])
        place = np.minimum(np.searchsorted(codes, band), len(codes) - 1)
        mask[top : top + rows] = values[place]
        unknown = codes[place] != band
        if unknown.any():
            found, inverse, counts = np.unique(band[unknown], return_inverse=True, return_counts=True)
            mask[top : top + rows][unknown] = values[_nearest(found, codes)][inverse]
            for code, count in zip(found.tolist(), counts.tolist(), strict=True):
                strange[code] = strange.get(code, 0) + count
    if strange and not nearest:
        raise _strange_colors(strange)
    return mask


def _strange_colors(strange: Mapping[int, int]) -> Refused:
    often = sorted(strange, key=lambda code: -strange[code])[:_LISTED]
    listed = ", ".join(f"{hex_of(color_of(code))} ({strange[code]} pixels)" for code in often)
    return Refused(
        "mask_unknown_color",
        f"The mask has {len(strange)} colour(s) that are no class: {listed}.",
        "Add them to the table of colours, or save the mask without smoothing and not as JPEG.",
    )


def _nearest(found: NDArray[np.uint32], codes: NDArray[np.uint32]) -> NDArray[np.intp]:
    """For each colour found, the place of the nearest of `codes`; a few thousand of them at a time."""
    known = _channels(codes)
    places = np.empty(len(found), np.intp)
    for first in range(0, len(found), _AT_ONCE):
        part = _channels(found[first : first + _AT_ONCE])
        places[first : first + len(part)] = ((part[:, None] - known) ** 2).sum(axis=2).argmin(axis=1)
    return places


def _channels(codes: NDArray[np.uint32]) -> NDArray[np.int32]:
    return np.stack([codes >> 16, codes >> 8 & 0xFF, codes & 0xFF], axis=-1).astype(np.int32)
