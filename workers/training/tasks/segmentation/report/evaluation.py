"""One pass of a network over labelled images: everything the report counts, in memory of fixed size.

Images come as they do in training, made a square of the spec's size or cut into such. The squares of several
images go through the network together; what is counted of an image is that of all its squares. Outlines alone
are compared square by square.
"""

import heapq
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from workers.training.compute.full_precision import widened, without_autocast
from workers.training.compute.gpu_settings import exact_float32
from workers.training.report.calibration import CalibrationScores
from workers.training.report.curves import CurveScores
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, load
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.metrics import no_counts, scores_of
from workers.training.tasks.segmentation.report.boundary import BoundaryScores
from workers.training.tasks.segmentation.report.pixels import mean
from workers.training.tasks.segmentation.report.whole_images import WholeImages

Forward = Callable[[Tensor], Tensor]
"""Logits (N, C, H, W) of images (N, H, W, 3) uint8 RGB, both on the network's device."""

WORST = 20
RANDOM = 12
"""Images that the gallery shows: those with the lowest mIoU, and as many drawn by the seed."""


@dataclass(frozen=True, kw_only=True)
class ScoredImage:
    """A whole image by its place among those of the split; `miou` is None where it has no labelled pixel."""

    index: int
    miou: float | None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a pass has counted. `counts` is int64 on the CPU, truth in rows: (C, C), or (C, 2, 2) of a
    multilabel task. `images`, the worst and the random ones are whole ones, however many squares each was
    cut into."""

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
    """The sums so far. `scores` are those of the images in `shown` that are done."""

    classes: int
    task: str
    shown: Collection[int]
    labelled: int = 0
    ignored: int = 0
    worst: list[tuple[float, int]] = field(default_factory=list)
    scores: dict[int, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = no_counts(self.classes, self.task)
        self._image = 0
        self._of_image = no_counts(self.classes, self.task)
        self.reading = reading_of(self.task, self.classes)
        self.boundary = BoundaryScores(self.classes, self.task, torch.get_num_threads())
        self.calibration = CalibrationScores()
        self.curves = CurveScores(self.classes)

    def add(self, image: int, logits: Tensor, mask: Tensor) -> None:
        """Count a square of an image, whose squares follow one another: logits (C, S, S), mask (S, S) or
        (S, S, P) uint8, both on one device."""
        if image != self._image:
            self.end_image()
            self._image = image
        predicted = self.reading.decide(logits[None])
        counts = self.reading.count(predicted, mask[None]).cpu()
        self.counts += counts
        self._of_image += counts
        labelled = self.reading.labelled(mask)
        self.labelled += int(labelled.sum())
        self.ignored += int((~labelled).sum())
        probabilities = self.reading.probabilities(logits[None])[0][:, labelled]
        truth = self.reading.truth(mask[None])[0][..., labelled]
        self.calibration.add(probabilities, truth)
        self.curves.add(probabilities, truth)
        self.boundary.add(mask.cpu().numpy(), predicted[0].cpu().numpy())

    def end_image(self) -> None:
        """Score the image whose squares have all been counted."""
        score = mean(list(scores_of(self._of_image)[1]))
        self._of_image = no_counts(self.classes, self.task)
        if self._image in self.shown:
            self.scores[self._image] = score
        if score is not None:
            heapq.heappush(self.worst, (-score, -self._image))
            if len(self.worst) > WORST:
                heapq.heappop(self.worst)


def evaluate(
    forward: Forward,
    squares: SegmentationDataset,
    classes: int,
    *,
    task: str = "multiclass",
    batch: int,
    device: torch.device,
    seed: int,
) -> Evaluation:
    """Count all images of a split that is not empty, `batch` squares at a time through the network."""
    began, forward_seconds = time.monotonic(), 0.0
    whole = WholeImages(squares)
    shown = drawn(len(whole), seed)
    tally = _Tally(classes, task, shown)
    for start in range(0, len(squares), batch):
        indices = range(start, min(start + batch, len(squares)))
        images, masks = (part.to(device) for part in load(squares, indices))
        before = time.monotonic()
        with exact_float32():
            logits = forward(images)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        forward_seconds += time.monotonic() - before
        with without_autocast(device):
            for index, of_square, mask in zip(indices, widened(logits), masks, strict=True):
                tally.add(whole.of_square[index], of_square, mask)
    tally.end_image()
    return Evaluation(
        counts=tally.counts,
        boundary=tally.boundary,
        calibration=tally.calibration,
        curves=tally.curves,
        worst=[ScoredImage(index=-index, miou=-score) for score, index in sorted(tally.worst, reverse=True)],
        random=[ScoredImage(index=index, miou=tally.scores[index]) for index in shown],
        images=len(whole),
        labelled_pixels=tally.labelled,
        ignored_pixels=tally.ignored,
        forward_seconds=forward_seconds,
        seconds=time.monotonic() - began,
    )


def drawn(images: int, seed: int) -> list[int]:
    """Up to RANDOM of so many images, drawn by the seed without repetition."""
    count = min(RANDOM, images)
    return [int(place) for place in np.random.default_rng(seed).choice(images, count, replace=False)]
