"""Matches images with masks by what their folders and names say."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workers.ingest.layout import Picture, without
from workers.ingest.marks import Couple, couples, likely_marks
from workers.ingest.pair_reports import report_clash
from workers.ingest.problems import ProblemLog

Key = tuple[object, ...]
ByWords = Callable[[Sequence[Picture], Sequence[Picture]], list[Couple]]


def _exact(picture: Picture) -> Key:
    return picture.split, picture.group, picture.stem


def _any_case(picture: Picture) -> Key:
    return picture.split, tuple(folder.casefold() for folder in picture.group), picture.stem.casefold()


def _without_suffix(picture: Picture) -> Key:
    return picture.split, tuple(folder.casefold() for folder in picture.group), picture.bare_stem


def _stem_alone(picture: Picture) -> Key:
    return (picture.bare_stem,)


@dataclass(frozen=True)
class Matched:
    """The pairs, and the images and masks that stayed alone."""

    couples: list[Couple]
    images: list[Picture]
    masks: list[Picture]


def same_words(images: Sequence[Picture], masks: Sequence[Picture]) -> list[Couple]:
    """The pairs of those whose paths differ in the same words, which most do."""
    return max((couples(mark, images, masks) for mark in likely_marks(images, masks)), key=len, default=[])


def best_match(images: list[Picture], masks: list[Picture], by_words: ByWords, log: ProblemLog) -> Matched:
    """The pairs by the names' rules, or, where these are too few, by the words in which paths differ."""
    first = ProblemLog()
    matched = match(images, masks, first)
    if len(matched.couples) < min(len(images), len(masks)):
        longest = by_words(images, masks)
        if len(longest) > len(matched.couples):
            alone = without(images, (image for image, _ in longest))
            return Matched(longest, alone, without(masks, (mask for _, mask in longest)))
    log.extend(first.problems())
    return matched


def match(images: list[Picture], masks: list[Picture], log: ProblemLog) -> Matched:
    """Pair from the strictest key to the loosest, so that a near name never takes an exact one's partner."""
    matched: list[Couple] = []
    for key in (_exact, _any_case, _without_suffix, _stem_alone):
        found, clashes = _match_by(key, images, masks)
        if key is _stem_alone:
            found = [(image, mask) for image, mask in found if _may_belong(image, mask)]
            clashes = []
        matched += found
        for clash in clashes:
            report_clash([picture.member for picture in clash], log)
        taken = [picture for pair in (*found, *clashes) for picture in pair]
        images, masks = without(images, taken), without(masks, taken)
    return Matched(matched, images, masks)


def _match_by(
    key: Callable[[Picture], Key], images: list[Picture], masks: list[Picture]
) -> tuple[list[Couple], list[list[Picture]]]:
    """The images and masks that share a key, one of each; and the files of keys that have more."""
    sides: defaultdict[Key, tuple[list[Picture], list[Picture]]] = defaultdict(lambda: ([], []))
    for picture in images:
        sides[key(picture)][0].append(picture)
    for picture in masks:
        sides[key(picture)][1].append(picture)
    found = [(i[0], m[0]) for i, m in sides.values() if len(i) == len(m) == 1]
    clashes = [i + m for i, m in sides.values() if i and m and len(i) + len(m) > 2]
    return found, clashes


def _may_belong(image: Picture, mask: Picture) -> bool:
    """Whether the folders of the two do not contradict each other, though one says more than the other."""
    one, other = set(image.group), set(mask.group)
    same_split = image.split is None or mask.split is None or image.split == mask.split
    return same_split and (one <= other or other <= one)
