"""Which images are drawn: as many of each class, or some that speak for all."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import Sample

_UNLABELLED = -1


def balanced_order(
    labels: Sequence[tuple[int, ...]], classes: int, numbers: np.random.Generator
) -> NDArray[np.int64]:
    """As many places of images as there are images, (N,) int64, classes that occur taking turns.

    A class gives its images in random order, from the beginning again where it has few. Images without a
    label are never drawn.
    """
    members: list[list[int]] = [[] for _ in range(classes)]
    for place, indices in enumerate(labels):
        for index in indices:
            members[index].append(place)
    decks = [numbers.permutation(places) for places in members if places]
    turns = np.array([numbers.permutation(len(decks)) for _ in range(-(-len(labels) // len(decks)))])
    taken = [decks[deck][turn % len(decks[deck])] for turn, row in enumerate(turns) for deck in row]
    return np.array(taken[: len(labels)], np.int64)


def spread_subset(samples: list[Sample], most: int | None, seed: int) -> list[Sample]:
    """At most that many of the samples, in their own order, of each class its part; all of them for None or a
    number as large. Of several labels of an image the first one counts."""
    if most is None or most >= len(samples):
        return samples
    classes = [sample.classes[0] if sample.classes else _UNLABELLED for sample in samples]
    chance = np.random.default_rng(seed).permutation(len(samples))
    by_class = np.lexsort((chance, np.array(classes)))
    chosen = by_class[np.linspace(0, len(samples) - 1, most).astype(np.int64)]
    return [samples[place] for place in sorted(chosen)]
