"""Whether an ONNX graph computes what the checkpoint computes: logits at two sizes, mIoU on validation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from trainyard.tasks.registry import rounded_size
from workers.training.checkpoints.files import ModelCard
from workers.training.export.files import session_of
from workers.training.export.images import Shape, prepare
from workers.training.export.logits import LOGITS, LogitBounds, LogitParity, feed_of, logit_failure
from workers.training.export.sessions import run_session
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, load
from workers.training.tasks.segmentation.export.graph import CLASSES, is_dynamic
from workers.training.tasks.segmentation.labels.label_codec import Reading, reading_of
from workers.training.tasks.segmentation.labels.metrics import no_counts, scores_of
from workers.training.tasks.segmentation.report.pixels import mean

MAX_DIFFERENCE = 1e-3
"""Largest absolute difference of a logit between torch and onnxruntime that passes in fp32."""

SCORED_PIXELS = 200 * 256**2
SCORED_LEAST = 20
"""mIoU is compared on so many squares of validation, evenly spread, as have that many pixels, at least on the
least, on all where there are fewer. It is two networks that are compared, not one that is scored."""

SCORED_AT_ONCE = 8
"""Squares that go through a network together, or fewer where training took fewer."""

_MAX_TRIED_SIZE = 512
"""Sizes above this, in pixels, are exported but not computed where the graph takes any size."""


@dataclass(frozen=True, kw_only=True)
class Tolerance(LogitBounds):
    """What a variant may differ by: its logits, and mIoU."""

    miou: float


def tried_shapes(card: ModelCard) -> list[Shape]:
    """(batch, height, width) of each comparison: the trained size, and another where any is allowed."""
    trained = card.spec.data.image_size
    if not is_dynamic(card):
        return [(2, trained, trained), (1, trained, trained)]
    name = card.spec.model.architecture
    size = min(trained, rounded_size(name, _MAX_TRIED_SIZE))
    return [(2, size, size), (1, rounded_size(name, size + 1), rounded_size(name, size + 33))]


def scored_places(squares: SegmentationDataset) -> list[int]:
    """The places of the squares on which mIoU is compared."""
    most = max(SCORED_LEAST, SCORED_PIXELS // squares.side**2)
    return [int(place) for place in np.linspace(0, len(squares) - 1, min(len(squares), most))]


def miou_of(predict: Callable[[Tensor], Tensor], val: SegmentationDataset, card: ModelCard) -> float | None:
    """mIoU of `predict`, which gives masks (N, S, S) of (N, S, S, 3) uint8 RGB, on the scored squares."""
    counts = no_counts(len(card.classes), card.spec.model.task)
    places, batch = scored_places(val), min(SCORED_AT_ONCE, card.spec.data.batch)
    for start in range(0, len(places), batch):
        images, masks = load(val, places[start : start + batch])
        counts += _reading(card).count(predict(images), masks)
    return mean(list(scores_of(counts)[1]))


def torch_predictor(network: nn.Module, card: ModelCard) -> Callable[[Tensor], Tensor]:
    """The checkpoint's own answer: masks, (N, S, S) uint8, of squares, (N, S, S, 3) uint8 RGB."""

    def predict(images: Tensor) -> Tensor:
        with torch.inference_mode():
            return _reading(card).decide(network(prepare(images, card.rule)))

    return predict


def onnx_predictor(model: onnx.ModelProto, card: ModelCard) -> Callable[[Tensor], Tensor]:
    """The same by onnxruntime; calls raise ExportMismatch where it cannot compute."""
    session = session_of(model)
    output = CLASSES if card.spec.export.with_preprocessing else LOGITS

    def predict(images: Tensor) -> Tensor:
        answer = torch.from_numpy(run_session(session, output, feed_of(images, card.rule, card.spec.export)))
        return answer if output == CLASSES else _reading(card).decide(answer)

    return predict


def _reading(card: ModelCard) -> Reading:
    return reading_of(card.spec.model.task, len(card.classes))


def failure(parity: LogitParity, miou: float | None, expected: float | None, bound: Tolerance) -> str | None:
    """None where a variant keeps within its tolerance, else what it breaks."""
    if broken := logit_failure(parity, bound):
        return broken
    if miou is not None and expected is not None and not abs(miou - expected) <= bound.miou:
        return f"validation mIoU is {miou:.4f}, not {expected:.4f}; {bound.miou:g} apart is allowed"
    return None
