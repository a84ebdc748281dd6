"""What is known of an image from a mask picture, and how the picture's pixels are to be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Color, Read
from workers.ingest.masks.values.colored_masks import decode_colors
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.mask_files import (
    WHITE,
    decode_alpha,
    decode_levels,
    decode_mask,
    decode_objects,
    decode_shades,
)
from workers.ingest.pictures.mask_fit import fit_mask
from workers.prepared.version import Uint8

Shown = Literal["values", "nearest", "objects", "alpha", "shades", "levels"]
"""What of a mask's pixels tells: the values stored, or by a table the colours; the nearest colours of the
table; that they are of an object; how opaque they are; the grey that a palette shows; the nearest of some
levels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskTruth:
    """A mask picture; `table` gives the values of its colours, None where it has values itself.

    `levels` are the values of levels. `white` is the value of white where it has one bit per pixel, or what
    is seen is not what is stored. With `resample`, a mask of its image's proportions and another size is
    brought to the image's.
    """

    member: Member
    white: int = WHITE
    shown: Shown = "values"
    table: Mapping[Color, int] | None = None
    levels: Mapping[float, int] | None = None
    resample: bool = False

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.member.path

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        values = self.values(read(self.member), None if self.resample else image)
        return fit_mask(values, image, resample=self.resample)

    def values(self, data: bytes, image: DecodedImage | None = None) -> Uint8:
        """The values of the mask whose file is `data`, (H, W), as it lies in the file.

        Raises Refused where it cannot be decoded or, given its image, has another size.
        """
        if self.table is not None:
            return decode_colors(data, self.table, image, nearest=self.shown == "nearest")
        if self.levels is not None:
            return decode_levels(data, self.levels, image)
        match self.shown:
            case "objects":
                return decode_objects(data, image)
            case "alpha":
                return self._with_white(decode_alpha(data, image))
            case "shades":
                return self._with_white(decode_shades(data, image))
        return decode_mask(data, self.white, image)

    def _with_white(self, values: Uint8) -> Uint8:
        return np.where(values == WHITE, np.uint8(self.white), values)
