"""Images larger than a network's input, seen through overlapping tiles that fade into each other.

Tiles are squares of side T, laid every T / 2 pixels, the last of each row and column moved in to end with the
image; an image smaller than T is mirrored at its right and lower edge. Each tile votes with its class
probabilities, weighted by w(y) w(x) with

    w(i) = sin(pi (i + 1/2) / T) ** 2

so that a tile counts most in its middle and its border, where it has seen least around, hardly at all; half a
tile apart the weights add up to one. A pixel's probabilities are the weighted means. The overlap costs up to
four times the tiles and is here for the borders' sake; scores, which need each pixel once, are taken without
any (`TiledDataset` in workers/training/tasks/segmentation/data/batches.py).
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import Uint8

Floats = NDArray[np.float32]

Probabilities = Callable[[Uint8], Floats]
"""(N, C, T, T) float32 of N tiles, (N, T, T, 3) uint8 RGB."""

Settle = Callable[[Floats], Uint8]
"""A mask, (H, W) or (H, W, P), of probabilities, (C, H, W)."""


AT_ONCE = 8
"""TiledDataset of one row that go through the network together."""


def predict_tiles(
    image: Uint8, probabilities: Probabilities, settle: Settle, side: int, classes: int
) -> Uint8:
    """The predicted mask, (H, W) or (H, W, P), of an image, (H, W, 3) RGB, by tiles of `side` pixels.

    Memory besides the image and its mask is that of one row of tiles, classes x side x W floats, and of
    AT_ONCE tiles in the network.
    """
    height, width = image.shape[:2]
    padded = _padded(image, side)
    tops, lefts = starts(padded.shape[0], side), starts(padded.shape[1], side)
    weight = window(side)
    votes = np.zeros((classes + 1, side, padded.shape[1]), np.float32)  # the last has the weights
    decided: list[Uint8] = []
    for top, following in zip(tops, [*tops[1:], padded.shape[0]], strict=True):
        for begin in range(0, len(lefts), AT_ONCE):
            some = lefts[begin : begin + AT_ONCE]
            tiles = np.stack([padded[top : top + side, left : left + side] for left in some])
            for left, found in zip(some, probabilities(tiles), strict=True):
                votes[:-1, :, left : left + side] += found * weight
                votes[-1, :, left : left + side] += weight
        done = following - top  # rows that no later tile reaches
        decided.append(settle(votes[:-1, :done] / votes[-1, :done]))
        votes = np.concatenate([votes[:, done:], np.zeros_like(votes[:, :done])], axis=1)
    return np.ascontiguousarray(np.concatenate(decided)[:height, :width])


def window(side: int) -> Floats:
    """The weight of each pixel of a tile, (side, side), greater than 0 and at most 1."""
    edge = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    return np.outer(edge, edge).astype(np.float32)


def starts(length: int, side: int) -> list[int]:
    """Where tiles begin along an axis of `length` pixels, at least `side`."""
    regular = range(0, length - side, max(1, side // 2))
    return [*regular, length - side]


def _padded(image: Uint8, side: int) -> Uint8:
    below, right = (max(0, side - length) for length in image.shape[:2])
    mirrored = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REFLECT)
    return np.asarray(mirrored, np.uint8)
