"""One pass of a network over labelled images: everything the report counts, in memory of fixed size.

Images come as they do in training: resized to the square of the spec, one image at a time counted.
"""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from workers.training.data import Squares
from workers.training.full_precision import widened, without_autocast
from workers.training.metrics import no_counts, scores_of
from workers.training.reading import reading_of
from workers.training.report.boundary import BoundaryScores
from workers.training.report.calibration import CalibrationScores
from workers.training.report.curves import CurveScores
from workers.training.report.pixels import mean
from workers.training.squares import load

Forward = Callable[[Tensor], Tensor]
"""Logits (N, C, H, W) of images (N, H, W, 3) uint8 RGB, both on the network's device."""

WORST = 20
RANDOM = 12
"""Images that the gallery shows: those with the lowest mIoU, and as many drawn by the seed."""


@dataclass(frozen=True, kw_only=True)
class ScoredImage:
    """An image by its place in the split; `miou` is None where it has no labelled pixel."""

    index: int
    miou: float | None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a pass has counted. `counts` is int64 on the CPU, truth in rows: (C, C), or (C, 2, 2) of a
    multilabel task. `images` are whole ones, however many squares each was cut into."""

    counts: Tensor
    boundary: BoundaryScores
    calibration: CalibrationScores
    curves: CurveScores
    worst: list[ScoredImage]
    random: list[ScoredImage]
    images: int
    labelled_pixels: int
    ignored_pixels: int
    forward_seconds: float
    seconds: float


@dataclass
class _Tally:
    """The sums so far."""

    classes: int
    task: str
    counts: Tensor = field(init=False)
    labelled: int = 0
    ignored: int = 0
    worst: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = no_counts(self.classes, self.task)
        self.reading = reading_of(self.task, self.classes)
        self.boundary = BoundaryScores(self.classes, self.task)
        self.calibration = CalibrationScores()
        self.curves = CurveScores(self.classes)

    def add(self, index: int, logits: Tensor, mask: Tensor) -> float | None:
        """Count one image: logits (C, H, W), mask (H, W) uint8, both on one device; returns its mIoU."""
        predicted = self.reading.decide(logits[None])
        counts = self.reading.count(predicted, mask[None]).cpu()
        self.counts += counts
        labelled = self.reading.labelled(mask)
        self.labelled += int(labelled.sum())
        self.ignored += int((~labelled).sum())
        probabilities = self.reading.probabilities(logits[None])[0][:, labelled]
        truth = self.reading.truth(mask[None])[0][..., labelled]
        self.calibration.add(probabilities, truth)
        self.curves.add(probabilities, truth)
        self.boundary.add(mask.cpu().numpy(), predicted[0].cpu().numpy())
        score = mean(list(scores_of(counts)[1]))
        if score is not None:
            heapq.heappush(self.worst, (-score, -index))
            if len(self.worst) > WORST:
                heapq.heappop(self.worst)
        return score


def evaluate(
    forward: Forward,
    squares: Squares,
    classes: int,
    *,
    task: str = "multiclass",
    batch: int,
    device: torch.device,
    seed: int,
) -> Evaluation:
    """Count all images of a split that is not empty, `batch` at a time through the network."""
    began, forward_seconds = time.monotonic(), 0.0
    tally = _Tally(classes, task)
    shown = drawn(len(squares), seed)
    random: dict[int, float | None] = {}
    for start in range(0, len(squares), batch):
        indices = range(start, min(start + batch, len(squares)))
        images, masks = (part.to(device) for part in load(squares, indices))
        before = time.monotonic()
        logits = forward(images)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        forward_seconds += time.monotonic() - before
        with without_autocast(device):
            for index, of_image, mask in zip(indices, widened(logits), masks, strict=True):
                score = tally.add(index, of_image, mask)
                if index in shown:
                    random[index] = score
    return Evaluation(
        counts=tally.counts,
        boundary=tally.boundary,
        calibration=tally.calibration,
        curves=tally.curves,
        worst=[ScoredImage(index=-index, miou=-score) for score, index in sorted(tally.worst, reverse=True)],
        random=[ScoredImage(index=index, miou=random[index]) for index in shown],
        images=len({sample.name for sample in squares.samples}),
        labelled_pixels=tally.labelled,
        ignored_pixels=tally.ignored,
        forward_seconds=forward_seconds,
        seconds=time.monotonic() - began,
    )


def drawn(images: int, seed: int) -> list[int]:
    """The places of up to RANDOM images, drawn by the seed without repetition."""
    count = min(RANDOM, images)
    return [int(place) for place in np.random.default_rng(seed).choice(images, count, replace=False)]
