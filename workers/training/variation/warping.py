"""Batches of images and masks seen through maps, on any device."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

_FAR = 2.0
"""Beyond what is seen, whose places are -1 to 1."""


def warped(
    pixels: Tensor, sources: Tensor, size: int, mode: Literal["bilinear", "nearest"], outside: int = 0
) -> Tensor:
    """Images, (N, H, W, C) uint8, seen through a map each: (N, size, size, C) uint8.

    `sources`, (N, 3, 3) float32, say where a pixel of the result lies in its image, as `homographies.py` has
    it. What lies beyond the image, or beyond the horizon, is `outside`.
    """
    height, width = pixels.shape[1:3]
    channels_first = pixels.permute(0, 3, 1, 2).float()
    seen = grid_sample(
        channels_first - outside if outside else channels_first,  # what is sampled beyond is 0
        _places(sources, size, height, width),
        mode=mode,
        padding_mode="zeros",
        align_corners=True,
    )
    return (seen + outside).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _places(sources: Tensor, size: int, height: int, width: int) -> Tensor:
    """(N, size, size, 2): across and down, from -1, the middle of the first pixel, to 1, that of the last."""
    across = torch.arange(size, device=sources.device, dtype=torch.float32)
    down = across[:, None]
    x, y, scale = (
        sources[:, row, 0, None, None] * across
        + sources[:, row, 1, None, None] * down
        + sources[:, row, 2, None, None]
        for row in range(3)
    )
    in_sight = scale > 0
    divisor = torch.where(in_sight, scale, 1.0)
    places = torch.stack((x / divisor * (2 / (width - 1)) - 1, y / divisor * (2 / (height - 1)) - 1), dim=-1)
    return torch.where(in_sight[..., None], places, _FAR)
