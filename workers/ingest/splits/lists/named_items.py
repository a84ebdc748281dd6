"""What the entries of a list name: the splits and folds of items, and what is not to be found."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workers.ingest.splits.lists.item_finder import ItemFinder
from workers.ingest.splits.lists.listing import Listing


@dataclass
class NamedItems:
    """What the entries of one list name: the splits of items, and the entries of which the upload has no
    file, or several, or one without annotation."""

    sure: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unsure: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    missing: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    rivals: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The splits of all images that ambiguous entries may mean."""
    folds: dict[str, dict[str | None, set[str]]] = field(default_factory=dict)
    """The items that each fold lists, as `Claims`."""

    def with_rivals(self) -> "NamedItems":
        """The same, each ambiguous entry counting for all images that it may mean."""
        both = {name: self.unsure[name] | self.rivals[name] for name in {*self.unsure, *self.rivals}}
        return replace(self, unsure=defaultdict(set, both))

    @property
    def lost(self) -> int:
        """Entries that name nothing, or nothing for sure."""
        return len(self.missing) + len(self.ambiguous)

    @property
    def named(self) -> set[str]:
        """The items that are named."""
        of_folds = {name for by_split in self.folds.values() for some in by_split.values() for name in some}
        return {*self.sure, *self.unsure, *of_folds}


NamedBy = tuple[Listing, NamedItems]
"""A list, with what it names."""


def named_items(one: Listing, finder: ItemFinder) -> NamedItems:
    """What the entries of a list name."""
    found = NamedItems()
    for entry in one.entries:
        target = finder.find(entry.image, one.path)
        if not target.is_known:
            found.missing.append(entry.image)
        elif not target.is_clear:
            found.ambiguous.append(entry.image)
            for name in target.names if entry.split else ():
                found.rivals[name].add(entry.split or "")
        elif not target.names:
            found.bare.append(entry.image)
        elif entry.fold is not None and (one.per_fold or entry.split != "test"):
            by_split = found.folds.setdefault(entry.fold, {})
            by_split.setdefault(entry.split if one.per_fold else None, set()).update(target.names)
        if target.is_clear and target.names and entry.split is not None and not one.per_fold:
            claims = found.sure if target.sure else found.unsure
            for name in target.names:
                claims[name].add(entry.split)
    return found


def usable(found: Sequence[NamedBy], items: int) -> tuple[list[NamedBy], list[NamedBy]]:
    """Those lists whose entries are, mostly, of this upload of so many items, and the others."""
    covered = {name for _, found_by in found for name in found_by.named}
    used: list[NamedBy] = []
    unused: list[NamedBy] = []
    for one, named in found:
        is_of_a_part = 2 * len(covered) >= items and bool(named.named)
        is_used = not one.fault and (is_of_a_part or 2 * named.lost <= len(one.entries))
        (used if is_used else unused).append((one, named))
    return used, unused


def claims(lists: Sequence[NamedBy]) -> dict[str, set[str]]:
    """The splits that lists name for each item, by its name; entries whose folders fit go before others."""
    sure: defaultdict[str, set[str]] = defaultdict(set)
    unsure: defaultdict[str, set[str]] = defaultdict(set)
    for _, found in lists:
        for name, named in found.sure.items():
            sure[name] |= named
        for name, named in found.unsure.items():
            unsure[name] |= named
    return dict(unsure) | sure
