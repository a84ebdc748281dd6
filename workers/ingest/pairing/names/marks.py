"""Finds what tells masks from images in paths that no rule knows: the words that one has and the other lacks.

`2_Ortho_RGB/area_10_RGB.tif` and `5_Labels/area_10_label.tif` share all words but 2, ortho, rgb in the folder
and rgb in the name, and 5, labels and label. Two pictures that may belong together vote for their mark; the
true one is that of nearly all that do, others are that of a few. What is left of a path without its mark must
be the same, word by word in order.
"""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from workers.ingest.paths.layout import Picture
from workers.ingest.paths.split_words import SPLIT_WORDS, joined_split_name
from workers.ingest.paths.words import Words, is_number, words

Couple = tuple[Picture, Picture]
"""An image and a mask; or, before it is known which is which, two pictures."""

Part = tuple[tuple[int, str], ...]
"""Words with their places: 0 is the file's name, 1 its folder and so on, ENDING the ending of the name."""

Rest = tuple[Words, ...]
"""What is left of a path: the words of each folder that has any, and of the name."""

ENDING = -1
_LIKELY = 12
_EXAMPLES = 5
_LARGEST_KIN = 64
"""Pictures of like names that are compared, each with each."""
_MOST_KIN = 500
_RARE, _RARE_NUMBER = 0.02, 0.25
"""A word, or a number, of more paths than this share is not part of what one image is called."""
_RARE_COUNT = 4


@dataclass(frozen=True, order=True)
class Mark:
    """The words that images have beyond their masks, and those that masks have beyond their images."""

    image: Part
    mask: Part

    @property
    def words(self) -> int:
        """How many words there are."""
        return len(self.image) + len(self.mask)

    @property
    def parts(self) -> tuple[Part, Part]:
        """Both."""
        return self.image, self.mask

    @property
    def has_number(self) -> bool:
        """Whether a word is a number: then a single pair may be two that are numbered differently."""
        return any(is_number(word) for _, word in (*self.image, *self.mask))

    @property
    def turned(self) -> "Mark":
        """The same with images and masks exchanged."""
        return Mark(self.mask, self.image)


def likely_marks(images: Sequence[Picture], masks: Sequence[Picture] | None) -> dict[Mark, list[Couple]]:
    """The marks of most pairs of like names, most first and the shortest of equals, with a few such pairs.

    Without `masks` nothing is known of either role: `images` are all the pictures, and which part of a mark
    is the image's is open.
    """
    votes: Counter[Mark] = Counter()
    examples: defaultdict[Mark, list[Couple]] = defaultdict(list)
    for kin, partners in _kin(images, masks):
        for one, other in combinations(kin, 2) if masks is None else product(kin, partners):
            mark = _mark(one, other)
            if mark is None:
                continue
            if masks is None and mark.turned < mark:
                mark, one, other = mark.turned, other, one
            votes[mark] += 1
            if len(examples[mark]) < _EXAMPLES:
                examples[mark].append((one, other))
    repeated = [mark for mark, count in votes.items() if count > 1 or not mark.has_number]
    repeated.sort(key=lambda mark: (-votes[mark], mark.words, mark))
    return {mark: examples[mark] for mark in repeated[:_LIKELY]}


def plain_marks(
    likely: Mapping[Mark, list[Couple]], images: Iterable[Picture], masks: Iterable[Picture] | None
) -> dict[Mark, list[Couple]]:
    """The marks without those of pictures that are numbered differently: they have a number in both names, or
    all words of another mark and numbers beside. A number that all images, or all masks, have in their names
    counts nothing: `_0000` and `_manual1` are marks as `_image` and `_mask` are."""
    kept: dict[Mark, list[Couple]] = {}
    shared = (set[str](), set[str]()) if masks is None else (_shared(images), _shared(masks))
    for mark, examples in likely.items():
        renumbers = all(
            any(place == 0 and is_number(word) and word not in same for place, word in part)
            for part, same in zip(mark.parts, shared, strict=True)
        )
        if not renumbers and not any(_has_all_and_numbers(mark, other) for other in kept):
            kept[mark] = examples
    return kept


def _shared(pictures: Iterable[Picture]) -> set[str]:
    """The words that all the names have."""
    said = [set(words(picture.stem)) for picture in pictures]
    return set.intersection(*said) if said else set()


def _has_all_and_numbers(mark: Mark, other: Mark) -> bool:
    for wide, narrow in zip(mark.parts, other.parts, strict=True):
        more = Counter(wide) - Counter(narrow)
        if Counter(narrow) - Counter(wide) or not all(is_number(word) for _, word in more):
            return False
    return True


def couples(mark: Mark, images: Iterable[Picture], masks: Iterable[Picture]) -> list[Couple]:
    """The pairs that have this mark and no second partner."""
    ones = _by_rest(images, mark.image)
    others = _by_rest(masks, mark.mask)
    found = []
    for rest, alike in ones.items():
        if not rest:
            continue  # they have nothing in common
        found += _one_to_one(alike, others.get(rest, []))
    return found


def _one_to_one(images: Sequence[Picture], masks: Sequence[Picture]) -> list[Couple]:
    """The pairs among pictures of one rest: those of one split that are alone, or one of each at all."""
    if len(images) == len(masks) == 1:
        one, other = images[0].split, masks[0].split
        fits = images[0] is not masks[0] and (one is None or other is None or one == other)
        return [(images[0], masks[0])] if fits else []
    sides: defaultdict[str | None, tuple[list[Picture], list[Picture]]] = defaultdict(lambda: ([], []))
    for side, pictures in enumerate((images, masks)):
        for picture in pictures:
            sides[picture.split or _joined_split(picture)][side].append(picture)
    return [(i[0], m[0]) for i, m in sides.values() if len(i) == len(m) == 1 and i[0] is not m[0]]


def _joined_split(picture: Picture) -> str | None:
    """The split that is a part of a word of its folders, which no other folder confirms: `Trainbar/` beside
    `Trainfoo/` and `Testfoo/`, where the test set has no masks."""
    told = (joined_split_name(folder.name) for folder in picture.folders)
    return next((one.split for one in told if one is not None), None)


def _kin(
    images: Sequence[Picture], masks: Sequence[Picture] | None
) -> Iterable[tuple[list[Picture], list[Picture]]]:
    """Pictures whose paths have the same rare words, as images and masks: a sample, evenly drawn."""
    everything = [*images, *(masks or ())]
    if len(everything) <= _LARGEST_KIN:
        return [(list(images), list(masks or ()))]
    for whole_path in (True, False):
        kin = _grouped(images, masks or (), everything, whole_path)
        some = [_bounded(i, m) for i, m in kin if (len(i) > 1 if masks is None else i and m)]
        if some:
            return some[:: max(1, len(some) // _MOST_KIN)]
    return []


def _grouped(
    images: Sequence[Picture], masks: Sequence[Picture], everything: Sequence[Picture], whole_path: bool
) -> Iterable[tuple[list[Picture], list[Picture]]]:
    """The pictures by the rare words of their paths, or of their names alone."""
    said = (lambda one: [word for part in _parts(one) for word in part]) if whole_path else _names
    counts = Counter(word for picture in everything for word in set(said(picture)))
    share = {True: _RARE_NUMBER, False: _RARE}
    common = {
        word
        for word, count in counts.items()
        if count > max(_RARE_COUNT, share[is_number(word)] * len(everything))
    }
    kin: defaultdict[object, tuple[list[Picture], list[Picture]]] = defaultdict(lambda: ([], []))
    for side, pictures in enumerate((images, masks)):
        for picture in pictures:
            rare = tuple(word for word in said(picture) if word not in common)
            kin[rare or posixpath.dirname(picture.member.path)][side].append(picture)
    return kin.values()


def _bounded(images: list[Picture], masks: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """At most _LARGEST_KIN of each, the first and the last by path: partners mostly lie alike in both."""
    half = _LARGEST_KIN // 2
    cut = [side if len(side) <= _LARGEST_KIN else side[:half] + side[-half:] for side in (images, masks)]
    return cut[0], cut[1]


def _mark(one: Picture, other: Picture) -> Mark | None:
    """The words that each has beyond the other; None where their splits differ."""
    splits = {one.split, other.split} - {None}
    if len(splits) > 1:
        return None
    ones, others = _difference(_flat(one), _flat(other))
    if not ones and not others:
        ones, others = [(ENDING, _ending(one))], [(ENDING, _ending(other))]
    return Mark(tuple(ones), tuple(others))


_Flat = list[tuple[int, str]]


def _flat(picture: Picture) -> _Flat:
    """The words of a path in order with their places, and a slash in front of each name but the first."""
    parts = _parts(picture)
    flat = []
    for index, part in enumerate(parts):
        place = len(parts) - 1 - index
        flat += [(place, "/")] * (index > 0) + [(place, word) for word in part]
    return flat


def _difference(one: _Flat, other: _Flat) -> tuple[_Flat, _Flat]:
    """The words of each that are in no longest sequence common to both."""
    start = 0
    while start < min(len(one), len(other)) and one[start][1] == other[start][1]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end][1] == other[-1 - end][1]:
        end += 1
    return _unmatched(one[start : len(one) - end], other[start : len(other) - end])


def _unmatched(one: _Flat, other: _Flat) -> tuple[_Flat, _Flat]:
    """As `_difference`, by the usual table of lengths: (rows + 1) x (columns + 1)."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) - 1, -1, -1):
        for j in range(len(other) - 1, -1, -1):
            same = one[i][1] == other[j][1]
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if same else max(lengths[i + 1][j], lengths[i][j + 1])
    ones, others, i, j = [], [], 0, 0
    while i < len(one) or j < len(other):
        if i < len(one) and j < len(other) and one[i][1] == other[j][1]:
            i, j = i + 1, j + 1
        elif j == len(other) or (i < len(one) and lengths[i + 1][j] >= lengths[i][j + 1]):
            ones.append(one[i])
            i += 1
        else:
            others.append(other[j])
            j += 1
    return [word for word in ones if word[1] != "/"], [word for word in others if word[1] != "/"]


def _by_rest(pictures: Iterable[Picture], part: Part) -> dict[Rest, list[Picture]]:
    """The pictures that have these words at these places, by what is left of their paths."""
    found: defaultdict[Rest, list[Picture]] = defaultdict(list)
    for picture in pictures:
        rest = _rest(picture, part)
        if rest is not None:
            found[rest].append(picture)
    return found


def _rest(picture: Picture, part: Part) -> Rest | None:
    """A path without these words; None where it lacks one. Of equal words the last of a name goes, and the
    first of a folder."""
    parts = [list(one) for one in _parts(picture)]
    for place, word in reversed(part):
        if place == ENDING:
            if word != _ending(picture):
                return None
            continue
        if place >= len(parts) or word not in parts[-1 - place]:
            return None
        held = parts[-1 - place]
        at = held.index(word) if place else len(held) - 1 - held[::-1].index(word)
        del held[at]
    return tuple(tuple(one) for one in parts if one)


def _parts(picture: Picture) -> list[Words]:
    """The words of each folder and of the name, without those that tell a split."""
    stem = words(picture.stem)
    if picture.split is not None:
        stem = tuple(word for word in stem if word not in SPLIT_WORDS) or stem
    return [*(folder.said for folder in picture.folders), stem]


def _names(picture: Picture) -> Words:
    return words(picture.stem)


def _ending(picture: Picture) -> str:
    return posixpath.splitext(picture.member.path)[1].casefold()
