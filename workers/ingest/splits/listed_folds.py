"""The folds of a cross-validation that lists of the upload tell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from workers.ingest.splits.fold_plan import Claims, FoldPlan, fold_plan
from workers.ingest.splits.lists.fold_names import number_of_path
from workers.ingest.splits.lists.item_finder import ItemFinder
from workers.ingest.splits.lists.listing import Listing
from workers.ingest.splits.lists.named_items import NamedBy, NamedItems, named_items, usable


def parted_by_folds(
    found: Sequence[NamedBy], finder: ItemFinder, items: int
) -> tuple[FoldPlan | None, list[NamedBy], list[NamedBy]]:
    """The folds of a cross-validation that lists tell, the lists that do, and those of splits: among them,
    with a fault, lists of folds that are no cross-validation, and as it is one of a single fold."""
    others = [one for one in found if not one[0].per_fold and one[0].tells_splits]
    of_folds, lost = usable([one for one in found if one[0].tells_folds], items)
    claims = _claims_of_folds(of_folds)
    if len(claims) > 1:
        plan = fold_plan(claims)
        if isinstance(plan, str):
            faulty = [_faulty(one, f"Of its folds: {plan}.") for one, _ in of_folds]
            return None, [], [*others, *lost, *faulty]
        return plan, of_folds, [*others, *lost]
    if claims:
        return None, [], [*others, *lost, *(_of_one_fold(one, finder) for one, _ in of_folds if one.per_fold)]
    numbered = _numbered(others)
    plan = fold_plan(_claims_of_folds(numbered)) if numbered else ""
    if isinstance(plan, str):
        return None, [], [*others, *lost]
    paths = {one.path for one, _ in numbered}
    return plan, numbered, [*(one for one in others if one[0].path not in paths), *lost]


def _claims_of_folds(lists: Sequence[NamedBy]) -> Claims:
    claims: defaultdict[str, defaultdict[str | None, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, named in lists:
        for fold, by_split in named.folds.items():
            for split, names in by_split.items():
                claims[fold][split] |= names
    return claims


def _of_one_fold(one: Listing, finder: ItemFinder) -> NamedBy:
    """A list of one fold alone, as one of splits."""
    if not one.tells_splits:
        return _faulty(one, "It lists one fold, and not what trains.")
    plain = replace(one, per_fold=False, entries=[replace(entry, fold=None) for entry in one.entries])
    return plain, named_items(plain, finder)


def _numbered(lists: Sequence[NamedBy]) -> list[NamedBy]:
    """Lists of splits with numbers in their names, which may be folds: of each number there are two or more
    splits, and the same ones."""
    found: defaultdict[str, list[NamedBy]] = defaultdict(list)
    for one, named in lists:
        number = number_of_path(one.path)
        if number is not None and not one.fault:
            by_split: defaultdict[str | None, set[str]] = defaultdict(set)
            for name, splits in (*named.sure.items(), *named.unsure.items()):
                for split in splits:
                    by_split[split].add(name)
            of_fold = NamedItems(missing=named.missing, bare=named.bare, ambiguous=named.ambiguous)
            found[number].append((one, replace(of_fold, folds={number: by_split})))
    several = len(found) > 1 and all(len(some) > 1 for some in found.values())
    return [one for some in found.values() for one in some] if several else []


def _faulty(one: Listing, fault: str) -> NamedBy:
    return replace(one, entries=[], fault=fault), NamedItems()
