"""Matches images with masks by what their folders and names say, from the strictest key to the loosest."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace

from workers.ingest.pairing.names.marks import Couple, couples, likely_marks, plain_marks
from workers.ingest.paths.layout import Picture, without
from workers.ingest.paths.words import Words, is_number, words

_FEWEST = 2
"""Of one pair alone it cannot be told what is common to pairs."""

Key = Callable[[Picture], Hashable]
ByWords = Callable[[Sequence[Picture], Sequence[Picture]], list[list[Couple]]]
"""Finds the readings of images and masks that the words of their paths allow: see `open_readings`."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The pairs, and the images and masks that stayed alone.

    `more` are masks of an image that has one, or another of the same kind, told by numbers behind their
    names. `rivals` are the images and masks of one key of which it is open which belong together. `readings`
    are all pairs of each reading where several fit; then there are no couples yet.
    """

    couples: list[Couple] = field(default_factory=list)
    more: list[Couple] = field(default_factory=list)
    rivals: list[tuple[list[Picture], list[Picture]]] = field(default_factory=list)
    readings: list[list[Couple]] = field(default_factory=list)
    images: list[Picture] = field(default_factory=list)
    masks: list[Picture] = field(default_factory=list)


def same_words(images: Sequence[Picture], masks: Sequence[Picture]) -> list[list[Couple]]:
    """The readings by the words in which most pairs of paths differ."""
    marks = plain_marks(likely_marks(images, masks), images, masks)
    return open_readings([couples(mark, images, masks) for mark in marks])


def open_readings(readings: Sequence[list[Couple]]) -> list[list[Couple]]:
    """The reading that has most pairs, and the others that give images or masks of it other partners: if one
    has more than half as many pairs, and gives a fifth of these others, all that give so many. One whose
    masks are all called as one image, `scan5_spot1` and `scan5_spot2`, is chance: numbers count both."""
    ordered = sorted(filter(None, readings), key=lambda pairs: -len(pairs))
    if not ordered:
        return []
    best = ordered[0]
    known = {id(picture) for couple in best for picture in couple}
    own = {(id(image), id(mask)) for image, mask in best}
    names = {words(image.stem) for pairs in ordered for image, _ in pairs}
    rivals = []
    for other in ordered[1:]:
        shared = sum(id(image) in known or id(mask) in known for image, mask in other)
        if not _are_of_one(other, names) and {(id(image), id(mask)) for image, mask in other} - own:
            rivals.append((shared, other))
    rivals = [(shared, other) for shared, other in rivals if shared >= _FEWEST and 5 * shared > len(best)]
    if not any(2 * len(other) > len(best) for _, other in rivals):
        return [best]
    return [best, *(other for _, other in rivals)]


def _are_of_one(pairs: Sequence[Couple], names: Collection[Words]) -> bool:
    """Whether the names of several masks all begin with that of one image."""
    said = [words(mask.stem) for _, mask in pairs]
    first, last = min(said), max(said)
    shared = [one == other for one, other in zip(first, last, strict=False)]
    most = shared.index(False) if False in shared else len(shared)
    return len(pairs) > 1 and any(first[:length] in names for length in range(1, most + 1))


def best_match(images: list[Picture], masks: list[Picture], by_words: ByWords) -> Matched:
    """The pairs by the names' rules, and then, of what is left, by the words in which paths differ.

    Where the latter alone make more pairs of all, they are right and the rules are not.
    """
    matched = match(images, masks)
    made = len(matched.couples) + len(matched.more) + sum(len(images) for images, _ in matched.rivals)
    if made >= min(len(images), len(masks)):
        return matched
    readings = by_words(images, masks)
    if readings and len(readings[0]) > made:
        if len(readings) > 1:
            return Matched(readings=readings, images=images, masks=masks)
        return _with_numbered(_remaining(Matched(couples=readings[0], images=images, masks=masks)))
    if matched.images and matched.masks:
        others = by_words(matched.images, matched.masks)
        fits = len(others) == 1 and len(others[0]) >= _FEWEST and not _renumbered(others[0])
        if fits and not crosses(others[0], images):
            return also(matched, others[0])
    return matched


def crosses(pairs: Sequence[Couple], images: Sequence[Picture]) -> bool:
    """Whether a mask lies in the folders of other images than its own: of what rules leave, it is chance."""
    known = {image.plain for image in images}
    return any(image.plain != mask.plain and mask.plain in known for image, mask in pairs)


def _renumbered(pairs: Sequence[Couple]) -> bool:
    """Whether the names of images and masks have different numbers: of what rules leave, that is chance."""
    return any(
        [word for word in words(image.stem) if is_number(word)]
        != [word for word in words(mask.stem) if is_number(word)]
        for image, mask in pairs
    )


def match(images: list[Picture], masks: list[Picture]) -> Matched:
    """Pair by each key in turn, so that a near name never takes an exact one's partner."""
    matched = Matched(images=images, masks=masks)
    for key in (_exact, _any_case, _near, _plain):
        matched = _matched_by(key, matched, with_rivals=True)
    for key in (_near_of_any_split, _plain_of_any_split):
        matched = _matched_by(key, matched, with_rivals=False)
    matched = _first_of_numbered(_with_numbered(matched))
    return _matched_by(_name_alone, matched, with_rivals=False)


def _first_of_numbered(matched: Matched) -> Matched:
    """With the first numbered mask of an image that has no other as its mask."""
    couples = {id(image): (image, mask) for image, mask in matched.couples}
    for image, mask in matched.more:
        couples.setdefault(id(image), (image, mask))
    more = [(image, mask) for image, mask in matched.more if couples[id(image)][1] is not mask]
    return replace(matched, couples=list(couples.values()), more=more)


def numbered_alike(couples: Sequence[Couple], left: Sequence[Picture]) -> list[Couple]:
    """Those of the pictures that are called as a mask with numbers behind: further masks of its image."""
    owners = {(mask.near, words(mask.stem)): image for image, mask in couples}
    found = []
    for one in left:
        said = words(one.stem)
        end = len(said)
        while end > 0 and is_number(said[end - 1]):
            end -= 1
        image = owners.get((one.near, said[:end])) if end < len(said) else None
        if image is not None and one is not image:
            found.append((image, one))
    return found


def of_the_same(images: Sequence[Picture], masks: Sequence[Picture]) -> list[Picture]:
    """Those of the masks that are called as images that have another mask: other forms of it."""
    keys = {key(image) for image in images for key in (_plain, _plain_of_any_split)}
    return [mask for mask in masks if _plain(mask) in keys or _plain_of_any_split(mask) in keys]


def derived(alone: Sequence[Picture], images: Sequence[Picture]) -> list[Picture]:
    """Those of the pictures whose names are that of an image beside them with words around it, as overlays,
    depth maps and further masks have: they are no images of their own."""
    names = {(image.plain, image.name) for image in images}
    found = []
    for one in alone:
        said = words(one.stem)
        cuts = range(1, len(said))
        behind = any((one.plain, said[:at]) in names and not is_number(said[at]) for at in cuts)
        before = any((one.plain, said[at:]) in names and not is_number(said[at - 1]) for at in cuts)
        if behind or before:
            found.append(one)
    return found


def _exact(picture: Picture) -> Hashable:
    return picture.split, picture.group, picture.stem


def _any_case(picture: Picture) -> Hashable:
    return picture.split, tuple(folder.casefold() for folder in picture.group), picture.stem.casefold()


def _near(picture: Picture) -> Hashable:
    return picture.split, picture.near, picture.name


def _plain(picture: Picture) -> Hashable:
    return picture.split, picture.plain, picture.name


def _near_of_any_split(picture: Picture) -> Hashable:
    return picture.near, picture.name


def _plain_of_any_split(picture: Picture) -> Hashable:
    return picture.plain, picture.name


def _name_alone(picture: Picture) -> Hashable:
    return picture.name


def _matched_by(key: Key, so_far: Matched, *, with_rivals: bool) -> Matched:
    """With those left that share a key, an image and a mask each, whose splits and folders agree."""
    sides: defaultdict[Hashable, tuple[list[Picture], list[Picture]]] = defaultdict(lambda: ([], []))
    for side, pictures in enumerate((so_far.images, so_far.masks)):
        for picture in pictures:
            sides[key(picture)][side].append(picture)
    found = [(i[0], m[0]) for i, m in sides.values() if len(i) == len(m) == 1 and _may_belong(i[0], m[0])]
    rivals = [(i, m) for i, m in sides.values() if with_rivals and i and m and len(i) + len(m) > 2]
    taken = Matched(
        couples=so_far.couples + found,
        more=so_far.more,
        rivals=so_far.rivals + rivals,
        images=so_far.images,
        masks=so_far.masks,
    )
    return _remaining(taken)


def _with_numbered(so_far: Matched) -> Matched:
    """With the masks that numbers behind their names tell to be further ones of an image."""
    images = [*(image for image, _ in so_far.couples), *so_far.images]
    more: list[Couple] = []
    left = [mask for mask in so_far.masks if mask.numbered is not None]
    for folders in (_near_folders, _plain_folders):
        owners: defaultdict[Hashable, list[Picture]] = defaultdict(list)
        for image in images:
            owners[folders(image), image.name].append(image)
        for mask in left:
            name = mask.numbered[0] if mask.numbered else ()
            fitting = [one for one in owners.get((folders(mask), name), []) if _may_belong(one, mask)]
            if len(fitting) == 1:
                more.append((fitting[0], mask))
        left = without(left, [mask for _, mask in more])
    return _remaining(
        Matched(
            couples=so_far.couples,
            more=so_far.more + more,
            rivals=so_far.rivals,
            images=so_far.images,
            masks=so_far.masks,
        )
    )


def _near_folders(picture: Picture) -> Hashable:
    return picture.near


def _plain_folders(picture: Picture) -> Hashable:
    return picture.plain


def also(matched: Matched, others: list[Couple]) -> Matched:
    """With further pairs of what was left."""
    return _remaining(
        Matched(
            couples=matched.couples + others,
            more=matched.more,
            rivals=matched.rivals,
            images=matched.images,
            masks=matched.masks,
        )
    )


def _remaining(matched: Matched) -> Matched:
    """The same, its images and masks being those that are in no pair."""
    taken = [picture for couple in (*matched.couples, *matched.more) for picture in couple]
    taken += [picture for images, masks in matched.rivals for picture in (*images, *masks)]
    return Matched(
        couples=matched.couples,
        more=matched.more,
        rivals=matched.rivals,
        images=without(matched.images, taken),
        masks=without(matched.masks, taken),
    )


def _may_belong(image: Picture, mask: Picture) -> bool:
    """Whether splits and folders of the two do not contradict each other, though one may say more."""
    if image.split is not None and mask.split is not None and image.split != mask.split:
        return False
    one, other = sorted((image.plain, mask.plain), key=len)
    rest = iter(other)
    return all(folder in rest for folder in one)
