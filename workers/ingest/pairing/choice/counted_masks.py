"""Masks of which each image has several, counted behind their names, where no word says that they are masks:
`case 1/lesion_1.png` and `case 1/lesion_2.png`."""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from workers.ingest.pairing.names.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.words import Words, is_number, words

_ROMAN = frozenset(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"))

_Key = tuple[str, Words]


def counted_masks(readings: Sequence[Sequence[Couple]], pictures: Iterable[Picture]) -> list[Couple]:
    """All masks of each image, where the masks of some readings are called alike but for a count at the end,
    with further pictures called so; empty where they are not, or no image has several."""
    found_owners: defaultdict[_Key, dict[int, Picture]] = defaultdict(dict)
    for image, mask in (couple for pairs in readings for couple in pairs):
        key = _uncounted(mask)
        if key is None:
            return []
        found_owners[key][id(image)] = image
    owners: dict[_Key, Picture] = {}
    for key, several in found_owners.items():
        named = [one for one in several.values() if words(one.stem) == key[1][: len(words(one.stem))]]
        if len(named) != 1 and len(several) != 1:
            return []
        owners[key] = named[0] if len(named) == 1 else next(iter(several.values()))
    images = {id(image) for image in owners.values()}
    keyed = [(_uncounted(one), one) for one in pictures if id(one) not in images]
    found = [(owners[key], one) for key, one in keyed if key is not None and key in owners]
    return found if any(count > 1 for count in Counter(id(image) for image, _ in found).values()) else []


def have_several(couples: Iterable[Couple]) -> bool:
    """Whether images have different numbers of masks: these count something, and are no annotators'."""
    return len(set(Counter(id(image) for image, _ in couples).values())) > 1


def _uncounted(picture: Picture) -> _Key | None:
    """Where a picture lies and its name without the count at the end, a number or a letter; None without."""
    *rest, last = words(picture.stem)
    counts = is_number(last) or last in _ROMAN or (len(last) == 1 and last.isalpha())
    return (posixpath.dirname(picture.member.path), tuple(rest)) if counts else None
