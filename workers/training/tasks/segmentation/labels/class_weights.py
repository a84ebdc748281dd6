"""Weights that let rare classes count for more."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainyard.spec.training_spec import OptimizationSpec
from workers.prepared.planes import BITS, bit_of
from workers.prepared.version import IGNORE_INDEX, PreparedDataset, Sample
from workers.training.tasks.segmentation.labels.mask_labels import has_class

_FLOOR = 1.02
"""Added to a class's share of pixels, so that no weight is beyond all bounds: none exceeds 50.5."""


def class_weights(
    spec: OptimizationSpec, prepared: PreparedDataset, samples: Sequence[Sample]
) -> list[float] | None:
    """One weight per class as the spec asks for, None for no weighting; `auto` reads the samples' masks."""
    if spec.class_weighting == "given":
        return spec.class_weights
    if spec.class_weighting == "auto":
        return auto_weights(count_pixels(prepared, samples))
    return None


def count_pixels(prepared: PreparedDataset, samples: Sequence[Sample]) -> NDArray[np.int64]:
    """Labelled pixels of each class in the masks of these samples: (classes,) int64."""
    classes, values = len(prepared.classes), np.arange(IGNORE_INDEX + 1, dtype=np.uint8)
    counts = np.zeros((prepared.mask_planes, len(values)), np.int64)
    for sample in samples:
        pixels = prepared.mask(sample).reshape(-1, prepared.mask_planes)
        counts += [np.bincount(plane, minlength=len(values)) for plane in pixels.T]
    if prepared.mask_planes == 1:
        there = [counts[0, has_class(values, index, prepared.task, classes)] for index in range(classes)]
    else:
        there = [counts[index // BITS, bit_of(values, index % BITS, 1)] for index in range(classes)]
    return np.array([one.sum() for one in there], np.int64)


def auto_weights(counts: NDArray[np.int64]) -> list[float]:
    """1 / ln(1.02 + share of pixels), scaled to a mean of 1 over the classes that occur.

    From Paszke et al., "ENet", 2016. A class that never occurs weighs 0.
    """
    shares = counts / max(1, int(counts.sum()))
    raw = [1 / math.log(_FLOOR + share) if share else 0.0 for share in shares]
    present = [weight for weight in raw if weight] or [1.0]
    mean = sum(present) / len(present)
    return [weight / mean for weight in raw]
