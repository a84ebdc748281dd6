"""The splits and pairs that files of the upload list: train.txt, val.csv, splits/test_id.txt, split.json."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Item, Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.layout import pictures
from workers.ingest.paths.role_words import Role
from workers.ingest.paths.split_folders import furthest
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.splits.item_finder import ItemFinder, is_picture
from workers.ingest.splits.list_files import Entry, Listing, listings
from workers.ingest.splits.questions import ask_numbers, ask_unused_lists, splits_of

_EXAMPLES = 5


@dataclass(frozen=True)
class ListedSplits:
    """The split of each image that is listed, by the item's name; and the paths of the lists."""

    splits: dict[str, str]
    files: list[str]


@dataclass
class _Found:
    """What the entries of one list name: the splits of items, and the entries of which the upload has no
    file, or several, or one without annotation."""

    sure: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unsure: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    missing: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    rivals: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The splits of all images that ambiguous entries may mean."""

    def with_rivals(self) -> "_Found":
        """The same, each ambiguous entry counting for all images that it may mean."""
        both = {name: self.unsure[name] | self.rivals[name] for name in {*self.unsure, *self.rivals}}
        return replace(self, unsure=defaultdict(set, both))

    @property
    def lost(self) -> int:
        """Entries that name nothing, or nothing for sure."""
        return len(self.missing) + len(self.ambiguous)


def listed_splits(
    items: Sequence[Item], source: Source, options: IngestOptions, log: ProblemLog
) -> ListedSplits | None:
    """What the lists of an upload say of these items; None where there are none, or they part nothing.

    A list of which less than half the entries name a picture of the upload is of something else, unless lists
    name half of the items, as those of a large set do of a part of it. Where no other list says what trains,
    such a list is asked about, and so is one that cannot be read: it may say what is held out. Of an image
    in several lists the split that is held out furthest counts, with a warning.
    """
    index = PathIndex({*_pictures(source.members), *(item.image.path for item in items)})
    finder = ItemFinder(items, index)
    lists = _with_splits([one for one in listings(source, index) if one.tells_splits], options, log)
    found = [(one, _found(one, finder)) for one in lists]
    used, unused = _usable([one for one in found if not one[0].whole], len(items))
    if not _tell_train(used):  # else what lists of both name is parted by others
        more, others = _usable([one for one in found if one[0].whole], len(items))
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
    _report(used, unused, log)
    if not told or (len(told) == len(items) and len(set(told.values())) == 1):
        return None
    return ListedSplits(told, [one.path for one, _ in used])


_Named = tuple[Listing, _Found]


def _tell_train(lists: Sequence[_Named]) -> bool:
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


def _usable(found: Sequence[_Named], items: int) -> tuple[list[_Named], list[_Named]]:
    """Those lists whose entries are, mostly, of this upload, and the others."""
    covered = {name for _, named in found for name in (*named.sure, *named.unsure)}
    used: list[_Named] = []
    unused: list[_Named] = []
    for one, named in found:
        is_of_a_part = 2 * len(covered) >= items and bool(named.sure or named.unsure)
        is_used = not one.fault and (is_of_a_part or 2 * named.lost <= len(one.entries))
        (used if is_used else unused).append((one, named))
    return used, unused


def _asked_about(unused: Sequence[_Named], log: ProblemLog) -> str:
    told = _agreed([(one, named.with_rivals()) for one, named in unused])
    faults = {one.path: _fault(one, named) for one, named in unused}
    return ask_unused_lists(faults, sorted(told), "train" in told.values(), log)


def _report(used: Sequence[_Named], unused: Sequence[_Named], log: ProblemLog) -> None:
    for one, named in used:
        _report_lost(one, named, log)
    for one, named in unused:
        _report_unused(one, named, log)
    for whole in (False, True):  # what lists of both name is parted by others
        _report_twice([(one, named) for one, named in used if one.whole == whole], log)


def listed_pairs(source: Source, members: Sequence[Member], log: ProblemLog) -> dict[str, str] | None:
    """The path of the mask of each image that lists of the upload name together with it; None without any.

    `members` are the files that may be named. The pairs are used where most rows of a list name two pictures;
    one that pairs an image with two masks, or a mask with two images, is a warning, and none are used.
    """
    paths = _pictures(members)
    index = PathIndex(paths)
    pairs: dict[str, str] = {}
    for one in listings(source, index):
        if one.fault:
            continue
        named = [pair for entry in one.entries if (pair := _pair(entry, one.path, index)) is not None]
        if 2 * len(named) < len(one.entries):
            continue
        for image, mask in named:
            if pairs.setdefault(image, mask) != mask:
                _report_pairs(one.path, image, log)
                return None
    roles = {picture.member.path: picture.role for picture in pictures(members)} if pairs else {}
    turned = sum((roles[image], roles[mask]) == (Role.MASK, Role.IMAGE) for image, mask in pairs.items())
    if 2 * turned > len(pairs):
        pairs = {mask: image for image, mask in pairs.items()}
    if len(set(pairs.values())) < len(pairs):
        _report_pairs(None, next(iter(pairs)), log)
        return None
    return pairs or None


def _pair(entry: Entry, path: str, index: PathIndex) -> tuple[str, str] | None:
    if entry.mask is None:
        return None
    image, mask = index.find(entry.image, path).paths, index.find(entry.mask, path).paths
    return (image[0], mask[0]) if len(image) == len(mask) == 1 and image != mask else None


def _report_pairs(path: str | None, image: str, log: ProblemLog) -> None:
    log.warning(
        "listed_pairs_unused",
        path,
        f"The pairs that lists name are not used: {shown(image)} or its mask is paired twice.",
        "Nothing, if names pair images and masks; else mend the lists.",
    )


def _found(one: Listing, finder: ItemFinder) -> _Found:
    found = _Found()
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
        elif entry.split is not None:
            claims = found.sure if target.sure else found.unsure
            for name in target.names:
                claims[name].add(entry.split)
    return found


def _report_lost(one: Listing, found: _Found, log: ProblemLog) -> None:
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


def _report_unused(one: Listing, found: _Found, log: ProblemLog) -> None:
    log.warning(
        "split_list_unread" if one.fault else "split_lists_unused",
        one.path,
        f"The list is not used. {_fault(one, found)}",
        "Nothing, if it is of something else; else mend it, or send `splits`.",
    )


def _fault(one: Listing, found: _Found) -> str:
    return one.fault or f"{found.lost} of its {len(one.entries)} entries {_complaint(found)}."


def _complaint(found: _Found) -> str:
    parts = [(found.missing, "name no picture of the upload"), (found.ambiguous, "name several")]
    return ", and ".join(
        f"{what}: {', '.join(shown(name) for name in names[:_EXAMPLES])}" for names, what in parts if names
    )


def _claims(lists: Sequence[_Named]) -> dict[str, set[str]]:
    """The splits that lists name for each item, by its name; entries whose folders fit go before others."""
    claims: defaultdict[str, set[str]] = defaultdict(set)
    unsure: defaultdict[str, set[str]] = defaultdict(set)
    for _, found in lists:
        for name, named in found.sure.items():
            claims[name] |= named
        for name, named in found.unsure.items():
            unsure[name] |= named
    return dict(unsure) | claims


def _agreed(lists: Sequence[_Named]) -> dict[str, str]:
    """The split of each item that lists name, by its name."""
    return {name: furthest(named) for name, named in _claims(lists).items()}


def _report_twice(lists: Sequence[_Named], log: ProblemLog) -> None:
    twice = sorted(name for name, named in _claims(lists).items() if len(named) > 1)
    # where a client can be asked, these are to be a question
    if twice and not _tell_train(lists):
        log.error(
            "split_lists_contradict",
            None,
            f"Lists name {len(twice)} image(s) for several splits, such as {shown(twice[0])}, and leave none "
            "to train.",
            "Send the lists that count as `splits`, or leave the others out, such as other folds.",
        )
    elif twice:
        log.warning(
            "listed_twice",
            None,
            f"{len(twice)} image(s) are in the lists of several splits: "
            f"{', '.join(map(shown, twice[:_EXAMPLES]))}. Each is kept where it is held out furthest.",
            "Take them off all lists but one.",
        )


def _pictures(members: Iterable[Member]) -> list[str]:
    return [member.path for member in members if is_picture(member.path)]
