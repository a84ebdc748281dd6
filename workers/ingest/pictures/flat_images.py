"""Images among photographs that are flat areas of few colours: likely masks that lie in the wrong place."""

from collections.abc import Sequence

import numpy as np

from workers.ingest.pictures.mask_files import color_codes
from workers.ingest.problems import Offer, ProblemLog
from workers.prepared.version import Uint8

_SIDE = 48
"""Pixels of each side that are looked at, in equal distances."""
_FEWEST_COLORS, _MOST_COLORS = 2, 8
"""A picture of one colour is a photograph of nothing, taken with a lens cap on."""
_FLAT = 0.8
"""Share of the neighbours looked at that are equal."""


def is_flat(pixels: Uint8) -> bool:
    """Whether an image, (H, W, 3), looks like labels."""
    height, width = pixels.shape[:2]
    some = pixels[:: max(height // _SIDE, 1), :: max(width // _SIDE, 1)]
    green = some[..., 1]
    if float((green[:, 1:] == green[:, :-1]).sum()) < _FLAT * green[:, 1:].size:
        return False  # as nearly all photographs by one channel
    codes = color_codes(some)
    equal = codes[:, 1:] == codes[:, :-1]
    if not equal.size or float(equal.mean()) < _FLAT:
        return False
    return _FEWEST_COLORS <= len(np.unique(codes)) <= _MOST_COLORS


def ask_flat_images(files: Sequence[str], images: int, log: ProblemLog) -> str:
    """Ask whether these of so many images belong to the set; a value of the option `flat_images`."""
    return log.ask(
        "flat_images",
        f"{len(files)} of {images} images are flat areas of few colours, as masks are: {files[0]}.",
        [
            Offer(
                key="leave_out",
                text="they are no images and left out",
                count=len(files),
                options={"flat_images": "leave_out"},
                examples=files,
            ),
            Offer(
                key="use",
                text="they are images",
                count=len(files),
                options={"flat_images": "use"},
                examples=files,
            ),
        ],
    )
