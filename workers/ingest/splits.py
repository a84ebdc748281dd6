"""Decides which samples train and which validate: as the folders say, else by a seeded draw."""

import hashlib
from collections.abc import Mapping

from trainyard.datasets import IngestOptions
from workers.ingest.problems import ProblemLog

SPLITS = ("train", "val", "test")


def assign(folders: Mapping[str, str | None], options: IngestOptions, log: ProblemLog) -> dict[str, str]:
    """The split of each sample; `folders` holds what its folders say, by sample name.

    Logs an error, and answers what it has, where no images are left to train or to validate with.
    """
    if all(split is None for split in folders.values()):
        return _draw(list(folders), options, log)
    loose = [name for name, split in folders.items() if split is None]
    if loose:
        log.warning(
            "split_missing",
            loose[0],
            f"{len(loose)} image(s) lie in none of the folders train, val and test and are used to train.",
            "Move them into one of these folders.",
        )
    splits = {name: split or "train" for name, split in folders.items()}
    trained = [name for name, split in splits.items() if split == "train"]
    if not trained:
        log.error(
            "split_without_train",
            None,
            f"All images are in folders for {', '.join(counts(splits))}: none is left to train.",
            "Put images and masks in a folder train/ too, or use no such folders to have a split drawn.",
        )
    elif "val" not in splits.values():
        log.warning(
            "val_drawn",
            None,
            f"There is no folder val; {options.val_fraction:.0%} of the training images validate instead.",
            "Nothing, if that is meant; else add a folder val/.",
        )
        splits |= _draw(trained, options, log)
    return splits


def counts(splits: Mapping[str, str]) -> dict[str, int]:
    """Images per split that occurs, in the order train, val, test."""
    found = list(splits.values())
    return {split: found.count(split) for split in SPLITS if split in found}


def _draw(names: list[str], options: IngestOptions, log: ProblemLog) -> dict[str, str]:
    """Draw `val_fraction` of the names, at least one and not all, by a hash of seed and name.

    The order of the archive thus does not matter, and a name added to a set moves few others.
    """
    if len(names) < 2:
        log.error(
            "too_few_images",
            None,
            f"{len(names)} image(s) with masks: one is needed to train and one to validate.",
            "Add images and masks.",
        )
        return dict.fromkeys(names, "train")
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{options.seed}:{name}".encode()).digest())
    held_out = min(max(round(len(names) * options.val_fraction), 1), len(names) - 1)
    return {name: "val" if rank < held_out else "train" for rank, name in enumerate(ranked)}
