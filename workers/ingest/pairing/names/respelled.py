"""Images and masks whose names say the same in another spelling, where the usual rules find few pairs.

Each way has to fit nearly all images or masks, one to one, and the pairs have to look like images and masks:

- the folder is joined into the name on one side: `images/site0/1.png` and `masks/site0_1.png`;
- each mask lies in a folder called as its image: `GT/im_001/im_001_cupseg.png`;
- the parts of names are exchanged in the same way throughout: `4_p1` and `p1_4`;
- a word for masks is glued to another word: `man_canal` and `man_segcanal`;
- masks have the same letters before or behind their images' names: `canal` and `man_segcanal`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import permutations, product

from workers.ingest.pairing.names.affixes import affixed
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.role_words import IMAGE_AFFIXES, IMAGE_WORDS, MASK_WORDS
from workers.ingest.paths.words import Words, words

Fits = Callable[[Sequence[Couple]], bool]

_Way = Callable[[Sequence[Picture], Sequence[Picture]], Iterator[list[Couple]]]

_FEWEST = 3
"""Fewer pairs may be chance."""
_NEARLY_ALL = 0.9
_MOST_PARTS = 4
_LETTERS = re.compile(r"[^\W\d_]+")
_GLUED = tuple(
    sorted((word for word in MASK_WORDS if len(word) > 1 and word.isascii()), key=len, reverse=True)
)
_GLUED_IMAGES = ("", *sorted(word for word in IMAGE_AFFIXES | IMAGE_WORDS if word.isascii()))


def respelled(images: Sequence[Picture], masks: Sequence[Picture], fits: Fits) -> list[Couple]:
    """The pairs by the first way that fits; empty where none does. `fits` tells whether pairs look right."""
    if not images:
        return []
    ways: tuple[_Way, ...] = (
        (affixed, _joined, _in_own_folders, _exchanged, _glued) if masks else (affixed, _glued)
    )
    for way in ways:
        found = [pairs for pairs in way(images, masks) if _is_enough(pairs, images, masks) and fits(pairs)]
        different = {frozenset((id(image), id(mask)) for image, mask in pairs) for pairs in found}
        if len(different) == 1:
            return found[0]
    return []


def _is_enough(pairs: Sequence[Couple], images: Sequence[Picture], masks: Sequence[Picture]) -> bool:
    """Whether nearly all of the images or masks are in a pair; without masks, of all pictures."""
    smaller = min(len(images), len(masks)) if masks else len(images) // 2
    return len(pairs) >= max(_FEWEST, _NEARLY_ALL * smaller)


def _joined(images: Sequence[Picture], masks: Sequence[Picture]) -> Iterator[list[Couple]]:
    """By all words of folders and names, wherever a folder ends; folders of a whole side may say nothing."""
    by_top = [
        [_by(side, partial(_flat, top=top)) for top in sorted({0, _shared(side)})] for side in (images, masks)
    ]
    found = [_matched(one, other) for one, other in product(*by_top)]
    yield from sorted(found, key=len, reverse=True)[:1]


def _flat(picture: Picture, top: int) -> Hashable:
    return picture.split, tuple(word for folder in picture.plain[top:] for word in folder) + picture.name


def _shared(pictures: Sequence[Picture]) -> int:
    """How many leading folders all have that are part of what they are called."""
    first, last = min(one.plain for one in pictures), max(one.plain for one in pictures)
    same = [one == other for one, other in zip(first, last, strict=False)]
    return same.index(False) if False in same else len(same)


def _in_own_folders(images: Sequence[Picture], masks: Sequence[Picture]) -> Iterator[list[Couple]]:
    """By the innermost folder of a mask that is called as an image."""
    named: defaultdict[Words, list[Picture]] = defaultdict(list)
    for image in images:
        named[words(image.stem)].append(image)
    owned: defaultdict[str, list[Couple]] = defaultdict(list)
    for mask in masks:
        owners = (named[words(one.name)] for one in reversed(mask.folders) if words(one.name) in named)
        for image in (
            one for one in next(owners, []) if one.split in (None, mask.split) or mask.split is None
        ):
            owned[mask.member.path].append((image, mask))
    pairs = [couples[0] for couples in owned.values() if len(couples) == 1]
    if len({id(image) for image, _ in pairs}) == len(pairs):
        yield pairs


def _exchanged(images: Sequence[Picture], masks: Sequence[Picture]) -> Iterator[list[Couple]]:
    """By the parts of their names in another order, the same for all."""
    counts = {len(_tokens(one)) for one in (*images, *masks)}
    if len(counts) > 1 or not 1 < (count := counts.pop()) <= _MOST_PARTS:
        return
    of_masks = _by(masks, lambda one: (one.split, one.plain, _tokens(one)))
    for order in permutations(range(count)):

        def key(one: Picture, order: Sequence[int] = order) -> Hashable:
            tokens = _tokens(one)
            return one.split, one.plain, tuple(tokens[place] for place in order)

        yield _matched(_by(images, key), of_masks)


def _tokens(picture: Picture) -> Words:
    """The parts of a name between signs, without words for masks and images."""
    parts = [part.casefold() for part in re.split(r"[\W_]+", picture.stem) if part]
    known = MASK_WORDS | IMAGE_AFFIXES
    return tuple(part.lstrip("0") or "0" for part in parts if part not in known)


def _glued(images: Sequence[Picture], masks: Sequence[Picture]) -> Iterator[list[Couple]]:
    """By paths in which a word for masks is glued to another, the same for all, perhaps one for images."""
    sides = (images, masks) if masks else (images, images)
    for mark in _GLUED:
        of_masks = _by_unglued(sides[1], mark)
        if len(of_masks) < _FEWEST:
            continue
        for own in _GLUED_IMAGES:
            plain = _by(sides[0], _path) if not own else _by_unglued(sides[0], own)
            pairs = [pair for pair in _matched(plain, of_masks) if pair[0] is not pair[1]]
            if pairs:
                yield pairs


def _by_unglued(pictures: Iterable[Picture], mark: str) -> dict[Hashable, list[Picture]]:
    """The pictures with this word at an end of one word of their paths, by their paths without it."""
    found: defaultdict[Hashable, list[Picture]] = defaultdict(list)
    for picture in pictures:
        path = _path(picture)
        if mark not in path:
            continue
        for run in _LETTERS.finditer(path):
            word = run[0]
            for rest in {word.removeprefix(mark), word.removesuffix(mark)} - {word, ""}:
                found[path[: run.start()] + rest + path[run.end() :]].append(picture)
    return dict(found)


def _path(picture: Picture) -> str:
    """A path in lower case, of the folders that say no role, and the name."""
    folders = [one.name for one in picture.folders if one.role is None]
    return "/".join((*folders, picture.stem)).casefold()


def _by(pictures: Iterable[Picture], key: Callable[[Picture], Hashable]) -> dict[Hashable, list[Picture]]:
    found: defaultdict[Hashable, list[Picture]] = defaultdict(list)
    for picture in pictures:
        found[key(picture)].append(picture)
    return dict(found)


def _matched(
    images: Mapping[Hashable, Sequence[Picture]], masks: Mapping[Hashable, Sequence[Picture]]
) -> list[Couple]:
    """The pairs of one key that have no second partner."""
    alike = ((own, masks.get(key, ())) for key, own in images.items())
    return [(own[0], others[0]) for own, others in alike if len(own) == len(others) == 1]
