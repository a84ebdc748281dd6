"""Which split each image is of, as folders, names of files, annotations and lists of the upload tell.

All formats share this: it judges all images of a set at once, since a word tells nothing alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Item, Source
from workers.ingest.paths.split_folders import SplitFolders, file_splits, furthest
from workers.ingest.paths.words import stem_of
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.splits.fold_plan import folds_of_folders
from workers.ingest.splits.lists.item_finder import is_picture
from workers.ingest.splits.questions import ask_doubtful, ask_lists_or_folders, ask_several
from workers.ingest.splits.split_files import ListedSplits, listed_splits
from workers.ingest.splits.unread_lists import ask_unread_lists

_SHOWN = 6
"""Names of folders or lists that the origin of splits tells."""


@dataclass(frozen=True)
class Told:
    """The items that belong to the set, with the splits that are told.

    `origin` says in a few words what told them, for the set's record; it is empty where nothing does.
    """

    items: list[Item]
    origin: str


def told_splits(items: Sequence[Item], source: Source, options: IngestOptions, log: ProblemLog) -> Told:
    """The items with the splits that the upload tells; the client's lists are not looked at here.

    Lists of the upload may part what folders call train; where they contradict what folders hold out, it is
    asked. Items in no list, where the images to train are listed, are left out with a warning.
    """
    if options.splits is not None:
        return Told(list(items), "")
    if options.splits_from == "draw":
        return Told([replace(item, split=None) for item in items], "")
    pictures = [member.path for member in source.members if is_picture(member.path)]
    folders = SplitFolders({*pictures, *(item.image.path for item in items), *(i.truth.file for i in items)})
    splits, origin = _by_words(items, folders, pictures, options, log)
    if log.is_blocked():
        return Told(list(items), origin)  # one option settles all that is open about splits: ask one by one
    listed = None if options.splits_from == "folders" else listed_splits(items, source, options, log)
    if listed is None:
        if not origin:
            splits, origin = _by_file_names(items)
        told = Told(_with(items, splits), origin)
        if not origin and options.splits_from is None:
            ask_unread_lists(source.members, log)
    else:
        told = _listed(items, splits, listed, origin, options, log)
    return told if log.is_blocked() else _with_doubtful(_by_fold_folders(told), folders, options, log)


def _listed(
    items: Sequence[Item],
    splits: dict[str, str | None],
    listed: ListedSplits,
    origin: str,
    options: IngestOptions,
    log: ProblemLog,
) -> Told:
    lists = f"lists {_listing(listed.files)}"
    against = [i for i in items if _contradicts(splits[i.name], listed.splits.get(i.name))]
    told = splits | listed.splits
    folds = listed.plan.folds if listed.plan else {}
    if against:
        said = {i.image.path: f"is of {splits[i.name]}, listed for {listed.splits[i.name]}" for i in against}
        count = options.splits_from or ask_lists_or_folders(said, lists, origin, log)
        for item in against:
            both = (listed.splits[item.name], splits[item.name] or "train")
            told[item.name] = both[0] if count in ("lists", "folders", "draw") else furthest(both)
    loose = [item for item in items if told[item.name] is None and item.name not in folds]
    if loose and (folds or "train" in listed.splits.values()):
        log.warning(
            "image_unlisted",
            loose[0].image.path,
            f"{len(loose)} image(s) are in no list of a split or fold and are left out.",
            "Nothing, if that is meant; else add them to a list.",
        )
        names = {item.name for item in loose}
        items = [item for item in items if item.name not in names]
    items = [replace(item, fold=folds.get(item.name)) for item in _with(items, told)]
    return Told(items, f"{lists}, and {origin}" if origin else lists)


def _contradicts(by_words: str | None, by_lists: str | None) -> bool:
    return by_words not in (None, "train") and by_lists not in (None, by_words)


def _by_fold_folders(told: Told) -> Told:
    """With the folds that folders are called after, where nothing else tells folds or what validates."""
    plan = folds_of_folders({item.name: item.image.path for item in told.items if item.split != "test"})
    if plan is None or any(item.split == "val" or item.fold is not None for item in told.items):
        return told
    items = [replace(item, fold=plan.folds.get(item.name)) for item in told.items]
    folders = "folders of folds"
    return Told(items, f"{told.origin}, and {folders}" if told.origin else folders)


_Splits = dict[str, str | None]
"""The split of each item by its name, None where none is told."""


def _by_words(
    items: Sequence[Item],
    folders: SplitFolders,
    pictures: Sequence[str],
    options: IngestOptions,
    log: ProblemLog,
) -> tuple[_Splits, str]:
    """The splits that annotations and paths tell, and what they were told by."""
    ways = [
        ({item.name: item.split for item in items}, "annotations"),
        _by_folders(items, folders, lambda item: item.image.path),
        _by_folders(items, folders, lambda item: item.truth.file),
        _by_folders(items, SplitFolders({item.referenced for item in items}), lambda item: item.referenced),
    ]
    splits = _merged(items, [way for way, _ in ways], options, log)
    told = set(splits.values())
    elsewhere = {folders.of(path) for path in pictures} - told - {None}
    if options.images is not None:
        elsewhere = set()  # the client says which images are the set: what these have in common says nothing
    if told == {"train"} or (len(told) == 1 and not elsewhere):  # what all have says nothing
        return dict.fromkeys(splits), ""
    return splits, " and ".join(dict.fromkeys(origin for way, origin in ways if any(way.values())))


def _by_folders(
    items: Sequence[Item], folders: SplitFolders, path: Callable[[Item], str]
) -> tuple[_Splits, str]:
    names = folders.names(path(item) for item in items)
    return {item.name: folders.of(path(item)) for item in items}, f"folders {_listing(names, '/')}"


def _by_file_names(items: Sequence[Item]) -> tuple[_Splits, str]:
    found = file_splits([stem_of(item.image.path) for item in items])
    if found is None:
        return dict.fromkeys((item.name for item in items), None), ""
    return {item.name: split for item, split in zip(items, found, strict=True)}, "names of files"


def _merged(
    items: Sequence[Item], ways: Sequence[_Splits], options: IngestOptions, log: ProblemLog
) -> _Splits:
    """What the ways tell together; where they contradict each other, the split that is held out furthest."""
    told = {item.name: {split for way in ways if (split := way[item.name])} for item in items}
    against = {
        item.image.path: f"with {shown(item.truth.file)} is of {' and '.join(sorted(told[item.name]))}"
        for item in items
        if len(told[item.name]) > 1
    }
    if against and options.splits_from is None and ask_several(against, log) == "draw":
        return dict.fromkeys(told)
    return {name: furthest(splits) if splits else None for name, splits in told.items()}


def _with_doubtful(told: Told, folders: SplitFolders, options: IngestOptions, log: ProblemLog) -> Told:
    """With the splits of folders that may be held out, or be called so for another reason: it is asked."""
    said = {item.name: folders.doubtful_of(item.image.path) for item in told.items if item.split is None}
    splits = {name: split for name, split in said.items() if split is not None}
    if not {"val", "test"} & set(splits.values()):
        return told
    loose = [item for item in told.items if item.name in splits]
    names = folders.doubtful_names(item.image.path for item in loose)
    count = options.splits_from or ask_doubtful(names, Counter(splits.values()), log)
    if count == "folder_words":
        items = [replace(item, split=splits.get(item.name, item.split)) for item in told.items]
        words = f"words in the names of folders {_listing(names, '/')}"
        return Told(items, f"{told.origin}, and {words}" if told.origin else words)
    if count != "as_told":
        log.warning(
            "split_unsure",
            loose[0].image.path,
            f"The names of {_listing(names, '/')} may mean splits, or not; they are not counted as such.",
            "Nothing, if that is right; else send `splits_from: folder_words`, or `splits`.",
        )
    return told


def _with(items: Sequence[Item], splits: Mapping[str, str | None]) -> list[Item]:
    return [replace(item, split=splits[item.name]) for item in items]


def _listing(names: Sequence[str], ending: str = "") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"{shown(name)}{ending}" for name in names[:_SHOWN]) + more
