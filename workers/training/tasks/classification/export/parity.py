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
from workers.training.export.images import Shape, prepare, random_images
from workers.training.export.sessions import run_session
from workers.training.export.variants import Feed
from workers.training.tasks.classification.data.pictures import Pictures, load
from workers.training.tasks.classification.export.graph import LOGITS
from workers.training.tasks.classification.labels.answers import Floats, decided, probabilities_of
from workers.training.tasks.classification.labels.targets import as_shares

SCORED = 400
"""Validation images, evenly spread, on which accuracy is compared; all where there are fewer."""
_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What a variant may differ by: logits absolutely, logits as a share of the greatest, and accuracy, of
    which a single image is always within.

    None sets no bound. Of two bounds on logits one is enough: rounding alone moves logits of several hundred
    by more than it moves those of a few.
    """

    difference: float | None = None
    relative: float | None = None
    accuracy: float


TOLERANCES = {
    "fp32": Tolerance(difference=1e-3, relative=1e-5, accuracy=0.001),
    # float16 keeps 11 bits, a relative error of 5e-4 per operation, over some sixty layers.
    "fp16": Tolerance(relative=0.02, accuracy=0.005),
    # Eight bits change every logit; what counts is what becomes of the classes.
    "int8": Tolerance(accuracy=0.03),
}


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The largest difference of any logit at any of the shapes; `relative` is to the largest logit."""

    shapes: list[Shape]
    difference: float
    relative: float


def compare_logits(network: nn.Module, model: onnx.ModelProto, card: ModelCard) -> Parity:
    """Compute random images with both, in two sizes of batch; raises ExportMismatch."""
    session, size = session_of(model), card.spec.data.image_size
    shapes = [(2, size, size), (1, size, size)]
    difference = largest = 0.0
    for shape in shapes:
        images = random_images(shape, card.rule)
        with torch.inference_mode():
            expected = network(prepare(images, card.rule)).numpy()
        answered = run_session(session, LOGITS, feed_of(images, card))
        # NaN passes through np.maximum, and then fails every bound.
        difference = float(np.maximum(difference, np.abs(expected - answered).max()))
        largest = max(largest, float(np.abs(expected).max()))
    return Parity(shapes=shapes, difference=difference, relative=difference / max(largest, 1e-9))


def feed_of(images: Tensor, card: ModelCard) -> Feed:
    """The graph's input for images, (N, S, S, 3) uint8 RGB."""
    given = images if card.spec.export.with_preprocessing else prepare(images, card.rule)
    return {"image": np.ascontiguousarray(given.numpy())}


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
    return lambda images: np.asarray(run_session(session, LOGITS, feed_of(images, card)), np.float32)


def failure(parity: Parity, accuracy: float, expected: float, images: int, bound: Tolerance) -> str | None:
    """None where a variant keeps within its tolerance, else what it breaks."""
    found = [(parity.difference, bound.difference), (parity.relative, bound.relative)]
    kept = [value <= limit for value, limit in found if limit is not None]  # a NaN keeps no limit
    if kept and not any(kept):
        allowed = " or ".join(f"{limit:g}" for _, limit in found if limit is not None)
        return (
            f"a logit differs by {parity.difference:.2g}, {parity.relative:.2g} of the largest; "
            f"{allowed} is allowed"
        )
    allowed_accuracy = max(bound.accuracy, 1.001 / images)
    if not abs(accuracy - expected) <= allowed_accuracy:
        return (
            f"validation accuracy is {accuracy:.4f}, not {expected:.4f}; "
            f"{allowed_accuracy:.3g} apart is allowed"
        )
    return None
