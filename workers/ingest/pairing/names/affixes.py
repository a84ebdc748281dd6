"""Masks whose names are those of their images with the same letters before or behind them.

`man_segkiln.png` and `9fman_seg.png` cannot be parted into words that are a name and a mark, since `kiln` and
`9f` begin or end within a word. By letters, what all masks have beyond their images is the mark.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workers.ingest.pairing.matching import Matched, also
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.words import Words

_FEWEST = 3
"""Fewer pairs may have the same letters by chance."""
_TRIED = 4
_LONGEST = 24
"""Letters of a mark."""

_Key = tuple[str | None, tuple[Words, ...], str]


@dataclass(frozen=True, order=True)
class Affixes:
    """What masks' names have before and behind those of their images, in lower case."""

    before: str
    behind: str


def completed(matched: Matched) -> Matched:
    """With pairs of what was left whose names differ as those of all pairs do, by the same letters."""
    if not matched.images or matched.readings or len(matched.couples) < _FEWEST:
        return matched
    found = {_of_couple(image, mask) for image, mask in matched.couples}
    mark = found.pop() if len(found) == 1 else None
    if mark is None:
        return matched
    return also(matched, _pairs(mark, matched.images, [*matched.images, *matched.masks]))


def affixed(images: Sequence[Picture], masks: Sequence[Picture]) -> Iterator[list[Couple]]:
    """The pairs by the letters that masks have before or behind the name of an image; none where further
    pictures have other letters, since each image may have several masks."""
    by_key = {_key(image, image.stem) for image in images}
    votes: Counter[Affixes] = Counter()
    for mask in masks or images:
        stem = mask.stem.casefold()
        for cut in range(1, len(stem)):
            if cut >= len(stem) - _LONGEST and _key(mask, stem[:cut]) in by_key:
                votes[Affixes("", stem[cut:])] += _may_part(stem, cut)
            if cut <= _LONGEST and _key(mask, stem[cut:]) in by_key:
                votes[Affixes(stem[:cut], "")] += _may_part(stem, cut)
    likely = [mark for mark, count in votes.most_common(_TRIED) if count]
    found = [_pairs(mark, images, masks or images) for mark in likely]
    for mark, pairs in zip(likely, found, strict=True):
        taken = {id(picture) for pair in pairs for picture in pair}
        if any(id(mask) not in taken for others in found for _, mask in others):
            continue  # images have several, each with other letters
        if votes[mark] >= _FEWEST and any(map(str.isalpha, mark.before + mark.behind)):
            yield pairs


def _may_part(stem: str, cut: int) -> bool:
    """Whether a name may be parted there: not within a number."""
    return not (stem[cut - 1].isdecimal() and stem[cut].isdecimal())


def _of_couple(image: Picture, mask: Picture) -> Affixes | None:
    """What the mask's name has beyond the image's; None where it does not contain that, or is the same."""
    name, stem = image.stem.casefold(), mask.stem.casefold()
    if name == stem or _key(image, "") != _key(mask, ""):
        return None
    if stem.startswith(name):
        return Affixes("", stem[len(name) :])
    return Affixes(stem[: -len(name)], "") if stem.endswith(name) else None


def _pairs(mark: Affixes, images: Iterable[Picture], masks: Iterable[Picture]) -> list[Couple]:
    """The pairs of this mark, of each key one image and one mask."""
    named: defaultdict[_Key, list[Picture]] = defaultdict(list)
    for mask in masks:
        stem = mask.stem.casefold()
        bare = stem.removeprefix(mark.before).removesuffix(mark.behind)
        if bare and mark.before + bare + mark.behind == stem:
            named[_key(mask, bare)].append(mask)
    of_images: defaultdict[_Key, list[Picture]] = defaultdict(list)
    for image in images:
        of_images[_key(image, image.stem)].append(image)
    alike = ((own, named.get(key, [])) for key, own in of_images.items())
    return [(own[0], found[0]) for own, found in alike if len(own) == len(found) == 1]


def _key(picture: Picture, stem: str) -> _Key:
    return picture.split, picture.plain, stem.casefold()
