"""Whether an ONNX graph computes what the checkpoint does: logits of noise, and accuracy on validation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from workers.training.checkpoints.files import ModelCard
from workers.training.export.files import session_of
from workers.training.export.images import Shape, prepare
from workers.training.export.logits import LOGITS, LogitBounds, LogitParity, feed_of, logit_failure
from workers.training.export.sessions import run_session
from workers.training.tasks.classification.data.pictures import Pictures, load
from workers.training.tasks.classification.labels.answers import Floats, decided, probabilities_of
from workers.training.tasks.classification.labels.targets import as_shares

SCORED = 400
"""Validation images, evenly spread, on which accuracy is compared; all where there are fewer."""
_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Tolerance(LogitBounds):
    """What a variant may differ by: its logits, and accuracy, of which a single image is always within."""

    accuracy: float


TOLERANCES = {
    "fp32": Tolerance(difference=1e-3, relative=1e-5, accuracy=0.001),
    # float16 keeps 11 bits, a relative error of 5e-4 per operation, over some sixty layers.
    "fp16": Tolerance(relative=0.02, accuracy=0.005),
    # Eight bits change every logit; what counts is what becomes of the classes.
    "int8": Tolerance(accuracy=0.03),
}


def tried_shapes(card: ModelCard) -> list[Shape]:
    """(batch, height, width) of each comparison: two sizes of batch."""
    size = card.spec.data.image_size
    return [(2, size, size), (1, size, size)]


def accuracy_of(answer: Callable[[Tensor], Floats], val: Pictures, card: ModelCard) -> float:
    """The share of right answers of `answer`, which gives logits (N, C) of (N, S, S, 3) uint8 RGB; of a
    multilabel task each image has one per class."""
    places = [int(place) for place in np.linspace(0, len(val) - 1, min(len(val), SCORED))]
    form, right = card.spec.model.task, []
    for start in range(0, len(places), _AT_ONCE):
        images, labels = load(val, places[start : start + _AT_ONCE])
        has = decided(probabilities_of(answer(images), form), form)
        right.append(has == (as_shares(labels, len(card.classes)).numpy() > 0))
    answers = np.concatenate(right)
    return float(answers.mean() if form == "multilabel" else answers.all(axis=1).mean())


def torch_answer(network: nn.Module, card: ModelCard) -> Callable[[Tensor], Floats]:
    """The checkpoint's own logits."""

    def answer(images: Tensor) -> Floats:
        with torch.inference_mode():
            return np.asarray(network(prepare(images, card.rule)).numpy(), np.float32)

    return answer


def onnx_answer(model: onnx.ModelProto, card: ModelCard) -> Callable[[Tensor], Floats]:
    """The graph's; calls raise ExportMismatch where it cannot be computed."""
    session: onnxruntime.InferenceSession = session_of(model)
    return lambda images: np.asarray(
        run_session(session, LOGITS, feed_of(images, card.rule, card.spec.export)), np.float32
    )


def failure(
    parity: LogitParity, accuracy: float, expected: float, images: int, bound: Tolerance
) -> str | None:
    """None where a variant keeps within its tolerance, else what it breaks."""
    if broken := logit_failure(parity, bound):
        return broken
    allowed_accuracy = max(bound.accuracy, 1.001 / images)
    if not abs(accuracy - expected) <= allowed_accuracy:
        return (
            f"validation accuracy is {accuracy:.4f}, not {expected:.4f}; "
            f"{allowed_accuracy:.3g} apart is allowed"
        )
    return None
