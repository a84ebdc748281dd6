"""The pairs of images and masks that files of the upload list."""

from collections.abc import Callable, Mapping, Sequence

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.layout import pictures
from workers.ingest.paths.role_words import Role
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.splits.lists.item_finder import is_picture
from workers.ingest.splits.lists.list_files import listings, pair_listings
from workers.ingest.splits.lists.listing import Entry

IsMeant = Callable[[str, Sequence[tuple[str, str]]], bool]
"""Whether a list, by its path, means the pairs of images and masks that it may name."""


def listed_pairs(
    source: Source, members: Sequence[Member], log: ProblemLog, is_meant: IsMeant = lambda *_: False
) -> dict[str, str] | None:
    """The path of the mask of each image that lists of the upload name together with it; None without any.

    `members` are the files that may be named. The pairs are used where most rows of a list name two pictures;
    one that pairs an image with two masks, or a mask with two images, is a warning, and none are used.
    `is_meant` says whether the pairs of a list count that may mean something else, such as two columns of
    numbers that images and masks are both called by.
    """
    index = PathIndex([member.path for member in members if is_picture(member.path)])
    roles: dict[str, Role | None] = {}
    pairs: dict[str, str] = {}
    for one in (*listings(source, index), *pair_listings(source, index)):
        if not roles and any(entry.mask is not None for entry in one.entries):
            roles = {picture.member.path: picture.role for picture in pictures(members)}
        named = [pair for entry in one.entries if (pair := _pair(entry, one.path, index, roles)) is not None]
        if 2 * len(named) < len(one.entries):
            continue
        if one.unsure and not is_meant(one.path, named):
            continue
        for image, mask in named:
            if pairs.setdefault(image, mask) != mask:
                _report_pairs(one.path, image, log)
                return None
    turned = sum((roles[image], roles[mask]) == (Role.MASK, Role.IMAGE) for image, mask in pairs.items())
    if 2 * turned > len(pairs):
        pairs = {mask: image for image, mask in pairs.items()}
    if len(set(pairs.values())) < len(pairs):
        _report_pairs(None, next(iter(pairs)), log)
        return None
    return pairs or None


def _pair(
    entry: Entry, path: str, index: PathIndex, roles: Mapping[str, Role | None]
) -> tuple[str, str] | None:
    if entry.mask is None or entry.mask.isdecimal() != entry.image.isdecimal():
        return None  # a number beside a path is a label, or counts rows
    image, mask = index.find(entry.image, path).paths, index.find(entry.mask, path).paths
    if len(image) > 1:  # images and masks are called alike
        image = tuple(one for one in image if roles.get(one) is not Role.MASK)
    if len(mask) > 1:
        mask = tuple(one for one in mask if roles.get(one) is Role.MASK)
    return (image[0], mask[0]) if len(image) == len(mask) == 1 and image != mask else None


def _report_pairs(path: str | None, image: str, log: ProblemLog) -> None:
    log.warning(
        "listed_pairs_unused",
        path,
        f"The pairs that lists name are not used: {shown(image)} or its mask is paired twice.",
        "Nothing, if names pair images and masks; else mend the lists.",
    )
