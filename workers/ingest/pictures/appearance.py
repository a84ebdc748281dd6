"""How a picture looks: like labels, which are flat areas of few values, or like a photograph."""

from dataclasses import dataclass

import numpy as np

from workers.ingest.pictures.decode import decode_image
from workers.ingest.pictures.mask_files import color_codes

_MOST_LABELS = 256
_FLAT = 0.7
"""Share of equal neighbours from which on a picture may be labels: photographs mostly have less than a half,
with borders of one colour, too; masks more than nine tenths, of thin things, too."""
_TELLING = 1024
_RICHER = 4
_SIDE = 1024


@dataclass(frozen=True, kw_only=True)
class Look:
    """A picture's width and height in pixels, either way round, its colours, whether any of them is not grey,
    and how flat it is, 0 to 1."""

    size: frozenset[int]
    colors: int
    is_grey: bool
    flat: float

    @property
    def is_telling(self) -> bool:
        """Whether it has so many pixels that its look tells something."""
        return min(self.size) ** 2 >= _TELLING

    @property
    def is_labels(self) -> bool:
        """Whether it may be a mask."""
        return self.colors <= _MOST_LABELS and self.flat >= _FLAT

    def may_be_mask_of(self, image: "Look") -> bool:
        """Whether it may be a mask, and the other the picture that it belongs to."""
        is_photo = not image.is_labels or image.colors > _RICHER * self.colors
        return self.is_labels and self.size == image.size and is_photo


def look_at(data: bytes) -> Look:
    """The look of a picture's middle; raises Refused where it cannot be read."""
    pixels = decode_image(data).pixels
    height, width = pixels.shape[:2]
    top, left = max(0, (height - _SIDE) // 2), max(0, (width - _SIDE) // 2)
    middle = pixels[top : top + _SIDE, left : left + _SIDE]
    grey = middle[..., 0]
    is_grey = all(np.array_equal(grey, middle[..., channel]) for channel in (1, 2))
    codes = grey if is_grey else color_codes(middle)
    equal = codes[:, 1:] == codes[:, :-1]
    return Look(
        size=frozenset((height, width)),
        # colours are sorted to be counted, greys need not be
        colors=int(np.count_nonzero(np.bincount(codes.ravel()))) if is_grey else len(np.unique(codes)),
        is_grey=is_grey,
        flat=float(equal.mean()) if equal.size else 1.0,
    )
