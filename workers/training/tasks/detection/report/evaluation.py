"""One pass of a network over images: what it finds in each, beside what is there."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.training.compute.gpu_settings import exact_float32
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.labels.scores import answer_of
from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth
from workers.training.tasks.detection.network.detector import Answer

Forward = Callable[[Tensor], Answer]
"""What is found in images (N, S, S, 3) uint8 RGB, on the network's device."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is in each image of a split, in order, and what is found."""

    truths: Sequence[SceneTruth]
    answers: Sequence[SceneAnswer]
    forward_seconds: float
    seconds: float


def evaluate(forward: Forward, squares: Squares, *, batch: int, device: torch.device) -> Evaluation:
    """Look at all images of a split that is not empty, `batch` at a time through the network."""
    began, forward_seconds = time.monotonic(), 0.0
    truths: list[SceneTruth] = []
    answers: list[SceneAnswer] = []
    for start in range(0, len(squares), batch):
        items = [squares[0, place] for place in range(start, min(start + batch, len(squares)))]
        images = torch.stack([item["image"] for item in items if isinstance(item["image"], Tensor)])
        before = time.monotonic()
        with exact_float32():
            found = forward(images.to(device)).detections
        scenes = [item["truth"] for item in items if isinstance(item["truth"], SceneTruth)]
        answers += [answer_of(one, scene.frame) for one, scene in zip(found, scenes, strict=True)]
        truths += scenes
        forward_seconds += time.monotonic() - before
    return Evaluation(
        truths=truths,
        answers=answers,
        forward_seconds=forward_seconds,
        seconds=time.monotonic() - began,
    )
