"""Finds what tells masks from images in paths that no rule knows: the words that one has and the other lacks.

`2_Ortho_RGB/area_10_RGB.tif` and `5_Labels/area_10_label.tif` share all words but {2, ortho, rgb, rgb} and
{5, labels, label}. Two pictures that may belong together vote for their mark; the true one is that of nearly
all that do, others are that of a few.
"""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from workers.ingest.formats.split_names import file_split
from workers.ingest.layout import Picture
from workers.ingest.split_words import SPLIT_WORDS

Words = tuple[str, ...]
"""Words in alphabetical order; one may occur several times."""

Couple = tuple[Picture, Picture]
"""An image and a mask; or, before it is known which is which, two pictures."""

_LIKELY = 12
_EXAMPLES = 5
_LARGEST_KIN = 64
"""Pictures of like names that are compared, each with each."""
_MOST_KIN = 500
_RARE, _RARE_NUMBER = 0.02, 0.25
"""A word, or a number, of more file names than this share is not part of what one image is called."""
_RARE_COUNT = 4

_WORD = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, order=True)
class Mark:
    """The words that images have beyond their masks, and those that masks have beyond their images."""

    image: Words
    mask: Words

    @property
    def words(self) -> int:
        """How many words there are."""
        return len(self.image) + len(self.mask)

    @property
    def has_number(self) -> bool:
        """Whether a word is a number: then a single pair may be two that are numbered differently."""
        return any(word.isdecimal() for word in (*self.image, *self.mask))

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
    repeated.sort(key=lambda mark: (-votes[mark], mark.words))
    return {mark: examples[mark] for mark in repeated[:_LIKELY]}


def couples(mark: Mark, images: Iterable[Picture], masks: Iterable[Picture]) -> list[Couple]:
    """The pairs that have this mark and no second partner."""
    with_ending = any(word.startswith(".") for word in (*mark.image, *mark.mask))
    ones = _by_rest(images, mark.image, with_ending)
    others = _by_rest(masks, mark.mask, with_ending)
    return [
        (found[0], partners[0])
        for rest, found in ones.items()
        if len(found) == 1 and len(partners := others.get(rest, [])) == 1 and found[0] is not partners[0]
    ]


def _kin(
    images: Sequence[Picture], masks: Sequence[Picture] | None
) -> Iterable[tuple[list[Picture], list[Picture]]]:
    """Pictures whose names have the same rare words, as images and masks: a sample, evenly drawn."""
    everything = [*images, *(masks or ())]
    if len(everything) <= _LARGEST_KIN:
        return [(list(images), list(masks or ()))]
    counts = Counter(word for picture in everything for word in set(_names(picture)))
    share = {True: _RARE_NUMBER, False: _RARE}
    common = {
        word
        for word, count in counts.items()
        if count > max(_RARE_COUNT, share[word.isdecimal()] * len(everything))
    }
    kin: defaultdict[object, tuple[list[Picture], list[Picture]]] = defaultdict(lambda: ([], []))
    for side, pictures in enumerate((images, masks or ())):
        for picture in pictures:
            rare = tuple(word for word in _names(picture) if word not in common)
            path = picture.member.path
            kin[file_split(path), rare or posixpath.dirname(path)][side].append(picture)
    small = [(i, m) for i, m in kin.values() if 2 <= len(i) + len(m) <= _LARGEST_KIN]
    return small[:: max(1, len(small) // _MOST_KIN)]


def _mark(one: Picture, other: Picture) -> Mark | None:
    """The words that each has beyond the other; None where their splits differ."""
    if file_split(one.member.path) != file_split(other.member.path):
        return None
    ones, others = Counter(_path_words(one)), Counter(_path_words(other))
    mark = Mark(_sorted(ones - others), _sorted(others - ones))
    if mark != Mark((), ()):
        return mark
    return Mark((_ending(one),), (_ending(other),))


def _by_rest(
    pictures: Iterable[Picture], part: Words, with_ending: bool
) -> dict[tuple[str | None, Words], list[Picture]]:
    """The pictures that have these words, by their split and their other words."""
    needed = Counter(part)
    found: defaultdict[tuple[str | None, Words], list[Picture]] = defaultdict(list)
    for picture in pictures:
        words = Counter(_path_words(picture))
        if with_ending:
            words[_ending(picture)] += 1
        if needed <= words:
            found[file_split(picture.member.path), _sorted(words - needed)].append(picture)
    return found


def _path_words(picture: Picture) -> list[str]:
    return _words(posixpath.splitext(picture.member.path)[0])


def _names(picture: Picture) -> list[str]:
    return _words(picture.stem)


def _words(text: str) -> list[str]:
    """The words of a text that name no split; numbers without leading zeros."""
    found = _WORD.findall(text.casefold())
    return [str(int(word)) if word.isdecimal() else word for word in found if word not in SPLIT_WORDS]


def _ending(picture: Picture) -> str:
    return posixpath.splitext(picture.member.path)[1].casefold()


def _sorted(words: Counter[str]) -> Words:
    return tuple(sorted(words.elements()))
