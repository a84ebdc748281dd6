"""Images as an exported network is fed them."""

import torch
from torch import Tensor

from workers.training.network.normalization import Normalization

Shape = tuple[int, int, int]
"""Batch, height, width."""


def random_images(shape: Shape, rule: Normalization) -> Tensor:
    """Noise with the rule's mean and spread, (N, H, W, 3) uint8 RGB; the same for the same shape."""
    noise = torch.randn(*shape, 3, generator=torch.Generator().manual_seed(0))
    pixels = noise * torch.tensor(rule.std) + torch.tensor(rule.mean)
    return (pixels * 255).round().clamp(0, 255).to(torch.uint8)


def prepare(images: Tensor, rule: Normalization) -> Tensor:
    """Images, (N, H, W, 3) uint8 RGB, as a network sees them: (N, 3, H, W) float32."""
    mean_of, std = (torch.tensor(value).view(1, 3, 1, 1) * 255 for value in (rule.mean, rule.std))
    return (images.permute(0, 3, 1, 2).float() - mean_of) / std
