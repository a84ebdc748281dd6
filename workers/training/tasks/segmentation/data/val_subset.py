"""A part of the validation images that speaks for all, in an order that the seed draws."""

import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.spread_places import spread_places
from workers.training.tasks.segmentation.labels.mask_labels import has_class


def spread_subset(
    prepared: PreparedDataset, samples: list[Sample], most: int | None, seed: int
) -> list[Sample]:
    """At most that many of the samples, in their own order; all of them for None or a number as large."""
    if most is None or most >= len(samples):
        return samples
    present = np.array([_classes_of(prepared, sample) for sample in samples])
    order = np.random.default_rng(seed).permutation(len(samples))
    chosen = order[spread_places(present[order], most)]
    return [samples[place] for place in sorted(chosen)]


def _classes_of(prepared: PreparedDataset, sample: Sample) -> NDArray[np.bool_]:
    """Which classes an image has: by the index, or by its mask where an earlier release wrote the index."""
    if sample.classes:
        return np.isin(np.arange(len(prepared.classes)), sample.classes)
    mask, classes = prepared.mask(sample), len(prepared.classes)
    values = np.unique(mask) if prepared.mask_planes == 1 else mask
    return np.array([has_class(values, index, prepared.task, classes).any() for index in range(classes)])
