"""One pass of a network over labelled images: what it answers for each."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.training.compute.full_precision import widened
from workers.training.compute.gpu_settings import exact_float32
from workers.training.tasks.classification.data.pictures import Pictures, load

Forward = Callable[[Tensor], Tensor]
"""Logits (N, C) of images (N, S, S, 3) uint8 RGB, both on the network's device."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Logits (N, C) float32 and labels, (N,) int64 or (N, C) float32, of all images in order, on the CPU."""

    logits: Tensor
    labels: Tensor
    forward_seconds: float
    seconds: float


def evaluate(forward: Forward, pictures: Pictures, *, batch: int, device: torch.device) -> Evaluation:
    """Answer all images of a split that is not empty, `batch` at a time through the network."""
    began, forward_seconds = time.monotonic(), 0.0
    logits, labels = [], []
    for start in range(0, len(pictures), batch):
        images, some = load(pictures, range(start, min(start + batch, len(pictures))))
        images = images.to(device)
        before = time.monotonic()
        with exact_float32():
            answered = widened(forward(images)).cpu()  # waits for the device
        forward_seconds += time.monotonic() - before
        logits.append(answered)
        labels.append(some)
    return Evaluation(
        logits=torch.cat(logits),
        labels=torch.cat(labels),
        forward_seconds=forward_seconds,
        seconds=time.monotonic() - began,
    )
