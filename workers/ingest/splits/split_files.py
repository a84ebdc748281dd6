"""The splits and folds that files of the upload list: train.txt, val.csv, splits/test_id.txt, split.json."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Item, Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.patterns import matching
from workers.ingest.paths.split_folders import furthest
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.splits.doubtful_lists import without_doubtful
from workers.ingest.splits.fold_plan import FoldPlan
from workers.ingest.splits.listed_folds import parted_by_folds
from workers.ingest.splits.lists.item_finder import ItemFinder, is_picture
from workers.ingest.splits.lists.list_files import listings
from workers.ingest.splits.lists.listing import Listing
from workers.ingest.splits.lists.named_items import NamedBy, NamedItems, claims, named_items, usable
from workers.ingest.splits.questions import ask_numbers, ask_unused_lists, ask_whole_splits, splits_of
from workers.ingest.splits.several_splits import whole_splits

_EXAMPLES = 5


@dataclass(frozen=True)
class ListedSplits:
    """The split of each image that is listed, by the item's name; the paths of the lists; and the folds of a
    cross-validation that they tell."""

    splits: dict[str, str]
    files: list[str]
    plan: FoldPlan | None = None


def listed_splits(
    items: Sequence[Item], source: Source, options: IngestOptions, log: ProblemLog
) -> ListedSplits | None:
    """What the lists of an upload say of these items; None where there are none, or they part nothing.

    A list of which less than half the entries name a picture of the upload is of something else, unless lists
    name half of the items, as those of a large set do of a part of it. Where no other list says what trains,
    such a list is asked about, and so is one that cannot be read: it may say what is held out. Of an image
    in several lists the split that is held out furthest counts, with a warning; but where lists part the
    images several times over, or leave none to train, it is asked which count.
    """
    index = PathIndex({*_pictures(source.members), *(item.image.path for item in items)})
    finder = ItemFinder(items, index)
    told_of = [one for one in listings(source, index) if one.tells_splits or one.tells_folds]
    told_of = _meant(told_of, options, log)
    named = [(one, named_items(one, finder)) for one in _with_splits(told_of, options, log)]
    named = without_doubtful(named, len(items), options, log)
    plan, of_folds, found = parted_by_folds(named, finder, len(items))
    used, unused = usable([one for one in found if not one[0].whole], len(items))
    if not _tell_train(used):  # else what lists of both name is parted by others
        more, others = usable([one for one in found if one[0].whole], len(items))
        told = _agreed(more) | _agreed(used)
        used, unused = [*used, *more], [*unused, *others]
    else:
        told = _agreed(used)
    held_back = [one for one in unused if not one[0].whole]
    if held_back and not _tell_train(used):
        count = options.splits_from or _asked_about(held_back, log)
        if count == "lists":
            used, unused = [*used, *((one, named.with_rivals()) for one, named in held_back)], []
            told = _agreed(used)
    parting = [one for one in used if not one[0].whole] or used
    if options.split_lists is None and options.splits_from is None and _named_twice(parting):
        several = whole_splits(parting)
        if several or not _tell_train(used):
            pattern = ask_whole_splits(several, _named_twice(parting), log)
            meant = replace(options, split_lists=pattern)
            return None if pattern is None else listed_splits(items, source, meant, log)
    listed = {one.path for one, _ in used}
    _report([*used, *(one for one in of_folds if one[0].path not in listed)], unused, log)
    if len(told) == len(items) and len(set(told.values())) == 1:
        told = {}  # it parts nothing
    told |= dict.fromkeys(plan.test if plan else (), "test")
    files = sorted({one.path for one, _ in (*of_folds, *(used if told else ()))})
    return ListedSplits(told, files, plan) if told or plan else None


def _tell_train(lists: Sequence[NamedBy]) -> bool:
    return "train" in _agreed(lists).values()


def _with_splits(lists: list[Listing], options: IngestOptions, log: ProblemLog) -> list[Listing]:
    """The lists, numbers that stand for splits replaced by those: as the client says, or is asked."""
    told = []
    for one in lists:
        if one.numbers:
            counted = Counter(entry.split for entry in one.entries)
            key: str | None = options.splits_from
            if key not in ("lower_trains", "higher_trains"):
                key = ask_numbers(one.path, {number: counted[number] for number in one.numbers}, log)
            if key == "folders":
                continue
            splits = splits_of(one.numbers, key)
            entries = [replace(entry, split=splits.get(entry.split or "")) for entry in one.entries]
            one = replace(one, entries=entries, numbers=())
        told.append(one)
    return told


def _asked_about(unused: Sequence[NamedBy], log: ProblemLog) -> str:
    told = _agreed([(one, named.with_rivals()) for one, named in unused])
    faults = {one.path: _fault(one, named) for one, named in unused}
    return ask_unused_lists(faults, sorted(told), "train" in told.values(), log)


def _report(used: Sequence[NamedBy], unused: Sequence[NamedBy], log: ProblemLog) -> None:
    for one, named in used:
        _report_lost(one, named, log)
    for one, named in unused:
        _report_unused(one, named, log)
    for whole in (False, True):  # what lists of both name is parted by others
        _report_twice([(one, named) for one, named in used if one.whole == whole], log)


def _report_lost(one: Listing, found: NamedItems, log: ProblemLog) -> None:
    if found.lost:
        log.warning(
            "split_list_missing",
            one.path,
            f"{found.lost} of the {len(one.entries)} images of the list {_complaint(found)}.",
            "Nothing, if these are not meant to be there; else add them, or write their folders too.",
        )
    if found.bare:
        log.warning(
            "listed_without_mask",
            one.path,
            f"{len(found.bare)} of the {len(one.entries)} listed images have no mask: "
            f"{', '.join(map(shown, found.bare[:_EXAMPLES]))}.",
            "Add the masks, or take the names off the list.",
        )


def _report_unused(one: Listing, found: NamedItems, log: ProblemLog) -> None:
    log.warning(
        "split_list_unread" if one.fault else "split_lists_unused",
        one.path,
        f"The list is not used. {_fault(one, found)}",
        "Nothing, if it is of something else; else mend it, or send `splits`.",
    )


def _fault(one: Listing, found: NamedItems) -> str:
    return one.fault or f"{found.lost} of its {len(one.entries)} entries {_complaint(found)}."


def _complaint(found: NamedItems) -> str:
    parts = [(found.missing, "name no picture of the upload"), (found.ambiguous, "name several")]
    return ", and ".join(
        f"{what}: {', '.join(shown(name) for name in names[:_EXAMPLES])}" for names, what in parts if names
    )


def _agreed(lists: Sequence[NamedBy]) -> dict[str, str]:
    """The split of each item that lists name, by its name."""
    return {name: furthest(named) for name, named in claims(lists).items()}


def _named_twice(lists: Sequence[NamedBy]) -> list[str]:
    return sorted(name for name, named in claims(lists).items() if len(named) > 1)


def _report_twice(lists: Sequence[NamedBy], log: ProblemLog) -> None:
    twice = _named_twice(lists)
    if twice:
        log.warning(
            "listed_twice",
            None,
            f"{len(twice)} image(s) are in the lists of several splits: "
            f"{', '.join(map(shown, twice[:_EXAMPLES]))}. Each is kept where it is held out furthest.",
            "Take them off all lists but one, or send the lists that count as `split_lists`.",
        )


def _meant(lists: list[Listing], options: IngestOptions, log: ProblemLog) -> list[Listing]:
    """The lists that the client says count."""
    if options.split_lists is None:
        return lists
    meant = matching(options.split_lists, [one.path for one in lists])
    if not meant:
        there = ", ".join(shown(one.path) for one in lists[:_EXAMPLES]) or "none"
        log.error(
            "pattern_unmatched",
            None,
            f"No list of splits fits the option `split_lists`: {shown(options.split_lists)!r}. There are "
            f"{len(lists)}: {there}.",
            "Give a pattern of the paths of the lists that count, such as `splits/1/*.txt`.",
        )
    return [one for one in lists if one.path in meant]


def _pictures(members: Iterable[Member]) -> list[str]:
    return [member.path for member in members if is_picture(member.path)]
