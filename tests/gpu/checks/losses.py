"""Check 3: every loss under every precision, beside the same in float64 on the CPU."""

import copy
from collections.abc import Iterator
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tests.gpu.check import Finding, Setting
from trainyard.spec.training_spec import LossSpec
from trainyard.tasks.segmentation import LOSSES
from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.losses.weighted_sum import build_loss

KINDS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
VALUE = {"float32": 1e-4, "bf16": 1e-3, "fp16": 1e-4}
COSINE = 0.999
NORM = 0.01
"""How far the gradient's norm may be off, as a part of it."""
SCALE = 2.0**16
"""What a gradient scaler multiplies float16 losses by at first."""
STEP = 1 / 16
"""Logits are multiples of it, which both 16-bit forms hold exactly: one float64 result does for all."""


class Taken(NamedTuple):
    """A loss and its gradient, float64 on the CPU."""

    value: float
    gradient: Tensor


def losses(setting: Setting) -> Iterator[Finding]:
    """Value and gradient of each loss for each task, at 512 px x 16 on a GPU."""
    images, size = setting.size((16, 512), (2, 192))
    worst: dict[str, list[tuple[float, float, float, str]]] = {name: [] for name in KINDS}
    for name, rule in LOSSES.items():
        for task in rule.tasks:
            logits, truth = _batch(task, images, size, setting.seed)
            loss = build_loss(LossSpec(name=name, weight=1.0, params={}), task, None)
            exact = _taken(copy.deepcopy(loss).double(), logits.double(), truth, None)
            for kind, dtype in KINDS.items():
                given = logits.to(setting.device, dtype or torch.float32)
                found = _taken(loss.to(setting.device), given, truth.to(setting.device), dtype)
                worst[kind].append((*_compared(found, exact), f"{name} of {task}"))
    for kind, compared in worst.items():
        yield from _judged(setting, kind, compared)


def _judged(
    setting: Setting, kind: str, compared: list[tuple[float, float, float, str]]
) -> Iterator[Finding]:
    value, cosine, norm = max(compared), min(compared, key=lambda c: c[1]), max(compared, key=lambda c: c[2])
    yield setting.at_most(f"{kind}: value off ({value[3]})", value[0], VALUE[kind])
    yield setting.at_least(f"{kind}: gradient's cosine ({cosine[3]})", cosine[1], COSINE)
    yield setting.at_most(f"{kind}: gradient's norm off ({norm[3]})", norm[2], NORM)


def _batch(task: str, images: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Logits (N, C, H, W) float32 and truth, one class of it rare, some of it ignored."""
    numbers = torch.Generator().manual_seed(seed)
    shape = (images, 1 if task == "binary" else 3, size, size)
    logits = (torch.randn(shape, generator=numbers) / STEP).round() * STEP
    logits = logits.clamp(-8, 8).contiguous(memory_format=torch.channels_last)
    if task == "multilabel":
        return logits, (torch.rand(shape, generator=numbers) < 0.1).float()
    drawn = torch.rand(images, size, size, generator=numbers)
    masks = (drawn < 0.1).long()
    if task == "multiclass":
        masks[drawn > 0.99] = 2
    masks[:, :3] = IGNORE_INDEX
    return logits, masks


def _taken(loss: nn.Module, logits: Tensor, truth: Tensor, dtype: torch.dtype | None) -> Taken:
    leaf = logits.clone().requires_grad_()
    surrounding = torch.autocast(logits.device.type, dtype=dtype) if dtype else nullcontext()
    with surrounding:
        value = loss(leaf, truth)
        (value * SCALE).backward()
    assert leaf.grad is not None
    return Taken(value.item(), leaf.grad.cpu().double() / SCALE)


def _compared(found: Taken, exact: Taken) -> tuple[float, float, float]:
    """How far the value is off, the gradients' cosine, and how far the norm is off, as a part of it.

    What is not finite is as far off as can be.
    """
    if not (torch.isfinite(found.gradient).all() and found.value == found.value):
        return float("inf"), -1.0, float("inf")
    norms = found.gradient.norm(), exact.gradient.norm()
    cosine = (found.gradient * exact.gradient).sum() / (norms[0] * norms[1]).clamp_min(1e-300)
    return abs(found.value - exact.value), float(cosine), abs(float(norms[0] / norms[1]) - 1)
