"""Whether lists by fold are those of a cross-validation: each image validates in one fold, and trains in all
others."""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from workers.ingest.splits.lists.fold_names import in_order, names_fold

Claims = Mapping[str, Mapping[str | None, Set[str]]]
"""The names of items that each fold lists, by the split that they have in it; None where that is not said."""


@dataclass(frozen=True)
class FoldPlan:
    """The fold in which each item validates, from 0, by the item's name; `names` are those of the folds, in
    order. Items of `test` are held out of all folds."""

    folds: dict[str, int]
    names: tuple[str, ...]
    test: frozenset[str] = frozenset()


def fold_plan(claims: Claims) -> FoldPlan | str:
    """The plan that the lists of two folds or more tell; in words why they are none of a cross-validation."""
    names = in_order(set(claims))
    said = claims[names[0]].keys()
    if any(claims[name].keys() != said for name in names) or (None in said and len(said) > 1):
        return "its folds do not list the same splits"
    test = set(claims[names[0]].get("test", ())) if "val" in said else set()
    if "val" in said and any(set(claims[name].get("test", ())) != test for name in names):
        return "each fold has images to test with of its own"
    everyone = {item for by_split in claims.values() for some in by_split.values() for item in some} - test
    held = [_held(claims[name], everyone) for name in names]
    if None in said and not _are_apart(held):
        held = [everyone - some for some in held]  # they list what trains
    if not _are_apart(held) or not all(held):
        return "some images validate in several folds, or none does in one"
    if sum(map(len, held)) < len(everyone):
        return "some images validate in no fold"
    if "train" in said and any(
        set(claims[name]["train"]) != everyone - own for name, own in zip(names, held, strict=True)
    ):
        return "a fold does not train on all that the others validate with"
    folds = {item: fold for fold, own in enumerate(held) for item in own}
    return FoldPlan(folds, tuple(names), frozenset(test))


def _held(by_split: Mapping[str | None, Set[str]], everyone: set[str]) -> set[str]:
    """What validates in a fold, as far as its own lists say."""
    for split in (None, "val", "test"):
        if split in by_split:
            return set(by_split[split])
    return everyone - by_split.get("train", set())


def _are_apart(sets: Iterable[set[str]]) -> bool:
    known = list(sets)
    return sum(map(len, known)) == len(set().union(*known))


def folds_of_folders(paths: Mapping[str, str]) -> FoldPlan | None:
    """The folds that the folders of all images are called after (`fold_1/images/a.png`); None without such.

    `paths` are those of images, by the names of items. The uppermost such folder counts.
    """
    found: dict[str, str] = {}
    for item, path in paths.items():
        folder = next((folder for folder in path.split("/")[:-1] if names_fold(folder)), None)
        if folder is None:
            return None
        found[item] = str(int(re.findall(r"\d+", folder)[0]))
    names = in_order(set(found.values()))
    if len(names) < 2:
        return None
    return FoldPlan({item: names.index(fold) for item, fold in found.items()}, tuple(names))
