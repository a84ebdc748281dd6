"""Weights that let classes with few images count for more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainyard.spec.training_spec import OptimizationSpec
from trainyard.tasks.classification import MULTILABEL
from workers.prepared.version import PreparedDataset, Sample

_MOST = 50.0
"""The weight that none exceeds, however few images a class has."""


def class_weights(
    spec: OptimizationSpec, prepared: PreparedDataset, samples: Sequence[Sample]
) -> list[float] | None:
    """One weight per class as the spec asks for, None for no weighting; `auto` counts the samples' labels.

    Of classes that exclude each other it is how many images each would have if all had alike, over how many
    it has; else how many images lack the class, over how many have it. At most 50; 0 where there is none.
    """
    if spec.class_weighting == "given":
        return spec.class_weights
    if spec.class_weighting == "none":
        return None
    counts = count_images(samples, len(prepared.classes))
    wanted = len(samples) - counts if prepared.task == MULTILABEL else len(samples) / len(counts)
    weights = np.divide(wanted, counts, out=np.zeros(len(counts)), where=counts > 0)
    return [float(weight) for weight in np.minimum(weights, _MOST)]


def count_images(samples: Sequence[Sample], classes: int) -> NDArray[np.int64]:
    """How many of the samples have each class, (classes,) int64."""
    labels = [index for sample in samples for index in sample.classes]
    return np.bincount(np.array(labels, np.int64), minlength=classes)
