"""Whether an ONNX graph gives the logits that the network gives, whatever is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from trainyard.spec.training_spec import ExportSpec
from workers.training.export.files import session_of
from workers.training.export.images import Shape, prepare, random_images
from workers.training.export.sessions import run_session
from workers.training.export.variants import Feed
from workers.training.network.normalization import Normalization

LOGITS = "logits"
"""The output that graphs of all tasks have while they are compared."""


@dataclass(frozen=True, kw_only=True)
class LogitBounds:
    """What a variant's logits may differ by: absolutely, and as a share of the greatest.

    None sets no bound. Of two bounds one is enough: rounding alone moves logits of several hundred by more
    than it moves those of a few.
    """

    difference: float | None = None
    relative: float | None = None


@dataclass(frozen=True, kw_only=True)
class LogitParity:
    """The largest difference of any logit at any of the shapes; `relative` is to the largest logit."""

    shapes: list[Shape]
    difference: float
    relative: float


def compare_logits(
    network: nn.Module, model: onnx.ModelProto, rule: Normalization, spec: ExportSpec, shapes: Sequence[Shape]
) -> LogitParity:
    """Compute random images of each shape with both; raises ExportMismatch where onnxruntime fails."""
    session = session_of(model)
    difference = largest = 0.0
    for shape in shapes:
        images = random_images(shape, rule)
        with torch.inference_mode():
            expected = network(prepare(images, rule)).numpy()
        answered = run_session(session, LOGITS, feed_of(images, rule, spec))
        # NaN passes through np.maximum, and then fails every bound.
        difference = float(np.maximum(difference, np.abs(expected - answered).max()))
        largest = max(largest, float(np.abs(expected).max()))
    return LogitParity(shapes=list(shapes), difference=difference, relative=difference / max(largest, 1e-9))


def feed_of(images: Tensor, rule: Normalization, spec: ExportSpec) -> Feed:
    """The graph's input for images, (N, H, W, 3) uint8 RGB."""
    given = images if spec.with_preprocessing else prepare(images, rule)
    return {"image": np.ascontiguousarray(given.numpy())}


def logit_failure(parity: LogitParity, bounds: LogitBounds) -> str | None:
    """None where the logits keep within their bounds, else what they break."""
    found = [(parity.difference, bounds.difference), (parity.relative, bounds.relative)]
    kept = [value <= limit for value, limit in found if limit is not None]  # a NaN keeps no limit
    if not kept or any(kept):
        return None
    allowed = " or ".join(f"{limit:g}" for _, limit in found if limit is not None)
    return (
        f"a logit differs by {parity.difference:.2g}, {parity.relative:.2g} of the largest; "
        f"{allowed} is allowed"
    )
