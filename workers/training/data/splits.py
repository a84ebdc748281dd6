"""Which samples of a prepared set train, and which validate."""

from collections.abc import Callable, Sequence

import numpy as np

from trainyard.errors import BadDataset
from workers.prepared.version import Sample

DEFAULT_VAL_FRACTION = 0.2
"""The share of images that validates where neither the set nor the spec says."""


Teaches = Callable[[Sample], bool]
"""Whether a task has anything to learn from a sample: a label, an object."""


def split_samples(
    samples: list[Sample],
    val_fraction: float | None,
    seed: int,
    split_index: int | None = None,
    teaches: Teaches = lambda _: True,
) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples; raises BadDataset when either would be empty.

    With `split_index` that fold validates and the others train. Else the set's own split is kept unless it
    has no validation or `val_fraction` asks for another; then train and val are shuffled together by `seed`
    and shared out, at least one image to each, and to each one that `teaches` where there are two, the only
    one to training; copies of one image stay together. What is of the splits test and unused stays out of
    both.
    """
    pool = [sample for sample in samples if sample.split in ("train", "val")]
    if split_index is not None:
        return _by_fold(pool, split_index)
    train = [sample for sample in pool if sample.split == "train"]
    val = [sample for sample in pool if sample.split == "val"]
    if train and val and val_fraction is None:
        return train, val
    return _drawn(pool, DEFAULT_VAL_FRACTION if val_fraction is None else val_fraction, seed, teaches)


def _drawn(
    pool: list[Sample], fraction: float, seed: int, teaches: Teaches
) -> tuple[list[Sample], list[Sample]]:
    """Copies of one image are drawn together."""
    copies: dict[str, list[Sample]] = {}
    for sample in pool:
        copies.setdefault(sample.digest or sample.name, []).append(sample)
    groups = list(copies.values())
    if len(groups) < 2:
        raise BadDataset(
            f"Training needs at least two images outside the test split; there are {len(groups)}."
        )
    wanted = max(1, round(len(pool) * fraction))
    order = [groups[place] for place in np.random.default_rng(seed).permutation(len(groups))]
    held, images = 0, 0
    while images < wanted and held < len(order) - 1:
        images += len(order[held])
        held += 1
    taught = [any(map(teaches, group)) for group in order]
    chosen = [order[place] for place in _taught_on_both_sides(taught, held)]
    held_out = {sample.name for group in chosen for sample in group}
    train = [sample for sample in pool if sample.name not in held_out]
    return train, [sample for sample in pool if sample.name in held_out]


def _taught_on_both_sides(taught: Sequence[bool], held: int) -> list[int]:
    """The places of those that validate: the first ones `held`, one of them exchanged where else a side
    would have nothing to learn from. What has a side each is left as it was drawn."""
    chosen = list(range(held))
    if not any(taught[held:]) and any(taught):
        chosen[chosen.index(taught.index(True))] = held
    elif not any(taught[:held]) and sum(taught) > 1:
        chosen[-1] = taught.index(True)
    return chosen


def _by_fold(pool: list[Sample], index: int) -> tuple[list[Sample], list[Sample]]:
    train = [sample for sample in pool if sample.fold is not None and sample.fold != index]
    val = [sample for sample in pool if sample.fold == index]
    if not train or not val:
        folds = len({sample.fold for sample in pool} - {None})
        raise BadDataset(f"data.split_index is {index}, and the set has {folds} folds.")
    return train, val
