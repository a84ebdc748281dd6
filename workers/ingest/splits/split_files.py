"""The splits and pairs that files of the upload list: train.txt, val.csv, splits/test_id.txt, split.json."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workers.ingest.archive import Member
from workers.ingest.items import Item, Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.layout import pictures
from workers.ingest.paths.role_words import Role
from workers.ingest.paths.split_words import furthest
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.splits.item_finder import ItemFinder, is_picture
from workers.ingest.splits.list_files import Entry, Listing, listings

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

    @property
    def lost(self) -> int:
        """Entries that name nothing, or nothing for sure."""
        return len(self.missing) + len(self.ambiguous)


def listed_splits(items: Sequence[Item], source: Source, log: ProblemLog) -> ListedSplits | None:
    """What the lists of an upload say of these items; None where there are none, or they part nothing.

    A list of which less than half the entries name a picture of the upload is of something else, which a
    warning says; unless lists name half of the items, as those of a large set do of a part of it. Of an image
    in several lists the split that is held out furthest counts, with a warning.
    """
    index = PathIndex({*_pictures(source.members), *(item.image.path for item in items)})
    finder = ItemFinder(items, index)
    lists = [one for one in listings(source, index, log) if any(entry.split for entry in one.entries)]
    told, used = _told([one for one in lists if not one.whole], finder, len(items), log)
    if "train" not in told.values():  # else what lists of both name is parted by others
        whole, more = _told([one for one in lists if one.whole], finder, len(items), log)
        told, used = whole | told, used + more
    if not told or (len(told) == len(items) and len(set(told.values())) == 1):
        return None
    return ListedSplits(told, used)


def _told(
    lists: Sequence[Listing], finder: ItemFinder, items: int, log: ProblemLog
) -> tuple[dict[str, str], list[str]]:
    """The split of each item that these lists name, and the paths of those that are used."""
    found = [(one, _found(one, finder)) for one in lists]
    covered = {name for _, named in found for name in (*named.sure, *named.unsure)}
    used = []
    for one, named in found:
        is_of_a_part = 2 * len(covered) >= items and bool(named.sure or named.unsure)
        if is_of_a_part or 2 * named.lost <= len(one.entries):
            used.append((one.path, named))
            _report_lost(one, named, log)
        else:
            _report_unused(one, named, log)
    return _agreed([named for _, named in used], log), [path for path, _ in used]


def listed_pairs(source: Source, members: Sequence[Member], log: ProblemLog) -> dict[str, str] | None:
    """The path of the mask of each image that lists of the upload name together with it; None without any.

    `members` are the files that may be named. The pairs are used where most rows of a list name two pictures;
    one that pairs an image with two masks, or a mask with two images, is a warning, and none are used.
    """
    paths = _pictures(members)
    index = PathIndex(paths)
    pairs: dict[str, str] = {}
    for one in listings(source, index, log):
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
        "split_lists_unused",
        one.path,
        f"The list is not used: {found.lost} of its {len(one.entries)} entries {_complaint(found)}.",
        "Nothing, if it is of something else; else mend it, or send `splits`.",
    )


def _complaint(found: _Found) -> str:
    parts = [(found.missing, "name no picture of the upload"), (found.ambiguous, "name several")]
    return ", and ".join(
        f"{what}: {', '.join(shown(name) for name in names[:_EXAMPLES])}" for names, what in parts if names
    )


def _agreed(lists: Sequence[_Found], log: ProblemLog) -> dict[str, str]:
    """The split of each item, by its name; entries whose folders fit go before others."""
    claims: defaultdict[str, set[str]] = defaultdict(set)
    unsure: defaultdict[str, set[str]] = defaultdict(set)
    for found in lists:
        for name, named in found.sure.items():
            claims[name] |= named
        for name, named in found.unsure.items():
            unsure[name] |= named
    told = dict(unsure) | claims
    twice = sorted(name for name, named in told.items() if len(named) > 1)
    splits = {name: furthest(named) for name, named in told.items()}
    # where a client can be asked, these are to be a question
    if twice and "train" not in splits.values():
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
    return splits


def _pictures(members: Iterable[Member]) -> list[str]:
    return [member.path for member in members if is_picture(member.path)]
