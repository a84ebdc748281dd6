"""Images of equal size beside each other: plain, under their truth, under what a network makes of them."""

from collections.abc import Sequence

import cv2
import numpy as np

from workers.prepared.version import Uint8

GAP = 8
"""White pixels behind and below each panel."""


def row_of(panels: Sequence[Uint8], width: int, height: int) -> Uint8:
    """The panels, each (H, W, 3), brought to that size without mixing colours, with a gap behind each one and
    below all."""
    gap = np.full((height, GAP, 3), 255, np.uint8)
    scaled = [cv2.resize(panel, (width, height), interpolation=cv2.INTER_NEAREST) for panel in panels]
    joined = np.concatenate([part for panel in scaled for part in (panel, gap)], axis=1)
    return np.concatenate([joined, np.full((GAP, joined.shape[1], 3), 255, np.uint8)])
