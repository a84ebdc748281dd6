"""How well masks fit images by what is in them: whose borders and areas are those of which picture."""

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import mean, stdev

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.ingest.archive import Member
from workers.ingest.pictures.decode import decode_image, open_header
from workers.ingest.pictures.mask_files import color_codes
from workers.ingest.problems import Refused
from workers.prepared.version import Uint8

Read = Callable[[Member], bytes]
Couples = Sequence[tuple[Member, Member]]
"""Images with their masks."""

_SIDE = 256
"""Pixels of the longer side at which the two are compared."""
_FEWEST = 6
"""Fewer differences tell nothing."""
_SURE = 4.0
"""Standard errors by which one way has to fit better: 1 in 100 by chance of six pairs (Student's t)."""


def fit(image: Uint8, mask: Uint8) -> float:
    """How much the areas of a mask, (H, W, 3), tell of the colours of an image of that size, and its borders
    of where these change: the correlation ratio of the channel that has most, plus the share by which
    gradients on borders exceed others. Above 0; what is of another image has less."""
    labels = np.unique(color_codes(mask), return_inverse=True)[1].reshape(mask.shape[:2])
    return _explained(image, labels) + _on_borders(image, labels)


def _explained(image: Uint8, labels: NDArray[np.intp]) -> float:
    """The share of a channel's variance that is between areas, 0 to 1: eta squared (Pearson, 1905)."""
    flat, counts = labels.ravel(), np.bincount(labels.ravel())
    best = 0.0
    for channel in range(3):
        values = image[..., channel].ravel().astype(float)
        total = float(((values - values.mean()) ** 2).sum())
        means = np.bincount(flat, values) / counts
        between = float((counts * (means - values.mean()) ** 2).sum())
        best = max(best, between / total if total else 0.0)
    return best


def _on_borders(image: Uint8, labels: NDArray[np.intp]) -> float:
    """How much steeper an image is across the borders of areas than elsewhere, of both, -1 to 1."""
    grey = cv2.GaussianBlur(image, (3, 3), 0).astype(np.int16)
    on = off = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(grey, axis=axis)).max(axis=2)
        border = np.diff(labels, axis=axis) != 0
        if not border.any() or border.all():
            return 0.0
        on, off = on + float(steps[border].mean()), off + float(steps[~border].mean())
    return (on - off) / (on + off) if on + off else 0.0


def sizes_tell(read: Read, one: Couples, other: Couples) -> int:
    """As `better`, by sizes alone: where one way all are equal, and the other way some are not."""
    fits = [all(_size(read, image) == _size(read, mask) for image, mask in pairs) for pairs in (one, other)]
    return int(fits[0]) - int(fits[1])


def better(read: Read, one: Couples, other: Couples) -> int:
    """Which of two ways to pair the same masks fits: 1 the one, -1 the other, 0 where it cannot be told."""
    gains = [
        gain
        for (image, mask), (rival, _) in zip(one, other, strict=True)
        if (gain := _gain(read, mask, image, rival)) is not None
    ]
    if len(gains) < _FEWEST or abs(mean(gains)) <= _SURE * stdev(gains) / sqrt(len(gains)):
        return 0
    return 1 if mean(gains) > 0 else -1


def _size(read: Read, member: Member) -> frozenset[int] | None:
    """Width and height in pixels, either way round; None where the file cannot be read."""
    try:
        return frozenset(open_header(read(member)).size)
    except Refused:
        return None


def _gain(read: Read, mask: Member, image: Member, rival: Member) -> float | None:
    """By how much a mask fits one image better than another; None where that cannot be seen."""
    try:
        pixels, shown, others = (_small(decode_image(read(one)).pixels) for one in (mask, image, rival))
    except Refused:
        return None
    if not pixels.shape == shown.shape == others.shape or (pixels == pixels[0, 0]).all():
        return None
    return fit(shown, pixels) - fit(others, pixels)


def _small(pixels: Uint8) -> Uint8:
    step = -(-max(pixels.shape[:2]) // _SIDE)
    return np.ascontiguousarray(pixels[::step, ::step])
