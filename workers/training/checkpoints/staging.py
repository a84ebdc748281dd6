"""Copies of a checkpoint's tensors on the host, so that training goes on while they are written."""

import logging
from typing import Any

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor

logger = logging.getLogger(__name__)

MOST_PINNED = 8 * 2**30
"""Bytes of one checkpoint that may lie in pinned memory, which is never swapped; the rest does without."""


def copied_to_host(content: dict[str, Any]) -> dict[str, Any]:
    """The same content with tensors of its own, on the CPU.

    Those of a GPU go into pinned memory, all at once, and are waited for together: one by one into common
    memory they go at half the speed. PyTorch keeps pinned memory for the next time.
    """
    staging = _Staging()
    copied: dict[str, Any] = apply_to_collection(content, Tensor, staging.copy)
    if staging.pinned:
        torch.cuda.synchronize()  # until then the copies are not whole
    return copied


class _Staging:
    """One checkpoint's copies; `pinned` counts the bytes of those that are under way."""

    def __init__(self) -> None:
        self.pinned = 0
        self._room = MOST_PINNED

    def copy(self, tensor: Tensor) -> Tensor:
        tensor = tensor.detach()
        place = _pinned_like(tensor) if _is_on_gpu(tensor) and tensor.nbytes <= self._room else None
        if place is None:
            return tensor.to("cpu", copy=True)
        self.pinned += tensor.nbytes
        self._room -= tensor.nbytes
        return place.copy_(tensor, non_blocking=True)


def _is_on_gpu(tensor: Tensor) -> bool:
    return tensor.is_cuda


def _pinned_like(tensor: Tensor) -> Tensor | None:
    """Memory on the host of the same shape and order; None where the system gives none that is pinned."""
    try:
        return torch.empty_like(tensor, device="cpu", pin_memory=True)
    except RuntimeError as error:
        logger.warning("A tensor is copied without pinned memory: %s", error)
        return None
