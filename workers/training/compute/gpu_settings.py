"""What training sets in this process for a GPU, and puts back: TF32, cuDNN's choice of kernels, threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

GPU_THREADS = 4
"""CPU threads of a process that feeds a GPU; the other cores are the loader processes'."""


@contextmanager
def set_for_training(device: torch.device, *, deterministic: bool) -> Iterator[None]:
    """Train on a GPU with kernels that cuDNN has tried and, where numbers are float32, with TF32 in matrix
    products and convolutions: 10 bits of mantissa and float32's range, accumulated in float32. A run that is
    to give the same bits again has neither. Nothing is set for a CPU.
    """
    if device.type != "cuda":
        yield
        return
    kept = torch.backends.cudnn.benchmark, torch.get_num_threads()
    torch.backends.cudnn.benchmark = not deterministic
    torch.set_num_threads(min(GPU_THREADS, kept[1]))
    try:
        with _float32(exact=deterministic):
            yield
    finally:
        torch.backends.cudnn.benchmark = kept[0]
        torch.set_num_threads(kept[1])


@contextmanager
def exact_float32() -> Iterator[None]:
    """Compute float32 as float32: for what is compared with another runtime, or reported."""
    with _float32(exact=True):
        yield


@contextmanager
def _float32(*, exact: bool) -> Iterator[None]:
    kept = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest" if exact else "high")
    torch.backends.cudnn.allow_tf32 = not exact
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(kept[0])
        torch.backends.cudnn.allow_tf32 = kept[1]
