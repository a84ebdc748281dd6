"""Float32 for what sums over pixels, whatever mixed precision surrounds it.

Autocast hands some operations 16-bit numbers even where they are given float32 ones, matrix products above
all. A float16 sum is infinite beyond 65,504, which is fewer than the pixels of one image of 256 px, and
bfloat16 has 8 bits for all of them.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Operations on that device compute in the precision of what they are given; shapes alone have none."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


def widened(tensor: Tensor) -> Tensor:
    """A tensor of 16-bit numbers in float32; any other as it is."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


class InFullPrecision(nn.Module):
    """A loss that is taken of float32 logits and outside autocast."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self._loss = loss

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """The scalar loss, float32; float64 of float64 logits."""
        with without_autocast(logits.device):
            loss: Tensor = self._loss(widened(logits), truth)
        return loss
