"""Images and masks whose numbers differ in their order, as rows and columns do, or in where they begin.

Equal numbers are right unless something says otherwise: the sizes of the pictures, what is in them, or names
that make more pairs in another way. Where that contradicts, or cannot tell, it is asked.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.masks.survey import spread
from workers.ingest.pairing.choice.content_fit import Read, better, sizes_tell
from workers.ingest.pairing.matching import Matched, also
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.pairing.names.numbered_names import NumberedName, numbered_name
from workers.ingest.paths.layout import Picture, without
from workers.ingest.paths.role_words import Role
from workers.ingest.problems import Offer, ProblemLog, Refused, shown
from workers.ingest.question_previews import MOST_ROWS, Example, preview

_NEARLY_ALL = 0.9
_FEWEST = 3
"""Fewer pictures tell of no counting."""
_COMPARED = 24
"""Masks that are compared with either image."""
_TEXTS = {
    "equal": "equal numbers belong together",
    "exchanged": "two of the numbers are exchanged, as rows and columns are",
    "in_order": "numbers begin elsewhere: the first belongs to the first, and so on",
}


@dataclass(frozen=True)
class _Reading:
    """Another way than by equal numbers: the value of the option `pair_numbers`, and all its pairs."""

    key: str
    couples: list[Couple]


def renumbered(
    matched: Matched,
    images: Sequence[Picture],
    masks: Sequence[Picture],
    options: IngestOptions,
    read: Read,
    log: ProblemLog,
) -> Matched:
    """The pairs of all these images and masks, by their numbers as these are meant; raises Refused where the
    client names a way by which there are no pairs."""
    if matched.readings or options.pair_numbers in ("equal", "listed") or not (images and masks):
        return matched
    images, masks = _with_roles(matched.couples, images, masks)
    names = _Names(images, masks)
    readings = [one for one in (_exchanged(matched, names), _in_order(matched, names)) if one]
    readings.sort(key=lambda reading: -len(reading.couples))
    if options.pair_numbers is not None:
        readings = [one for one in readings if one.key == options.pair_numbers]
        if not readings:
            raise Refused(
                "pair_numbers_absent",
                f"No images and masks belong together by the option `pair_numbers: {options.pair_numbers}`: "
                f"{_TEXTS[options.pair_numbers]}.",
                "Leave the option out, or name the pairs in a pairs.csv with columns image and mask.",
            )
        return _with(matched, readings[0].couples, images, masks)
    for reading in readings:
        if _is_right(reading, matched.couples, read, log):
            return _with(matched, reading.couples, images, masks)
    return matched


def renumbered_joined(
    couples: list[Couple], options: IngestOptions, read: Read, log: ProblemLog
) -> list[Couple]:
    """The pairs of names that are the same once folders are joined into them, as their numbers are meant: of
    `0/img_1.png` and `1_0.png`, too, nothing says which number is which. Raises as `renumbered` does."""
    joined = [(_joined(image), _joined(mask)) for image, mask in couples]
    if any(numbered_name(image) != numbered_name(mask) for image, mask in joined):
        return couples
    whole = {picture.member.path: picture for couple in couples for picture in couple}
    images, masks = ([couple[side] for couple in joined] for side in (0, 1))
    found = renumbered(Matched(couples=joined), images, masks, options, read, log).couples
    return [(whole[image.member.path], whole[mask.member.path]) for image, mask in found]


def _joined(picture: Picture) -> Picture:
    said = (word for part in (*picture.plain, picture.name) for word in part)
    return replace(picture, folders=(), stem=" ".join(said))


class _Names:
    """What images and masks are called, without the words that all of one side have and none of the other."""

    def __init__(self, images: Sequence[Picture], masks: Sequence[Picture]) -> None:
        self.images, self.masks = images, masks
        own = set[str]()
        for side, others in ((images, masks), (masks, images)):
            said = [{word for part in (*one.plain, one.name) for word in part} for one in side]
            other = {word for one in others for part in (*one.plain, one.name) for word in part}
            own |= set.intersection(*said) - other if said else set()
        self._names = {id(one): numbered_name(one, own) for one in (*images, *masks)}

    def __getitem__(self, picture: Picture) -> NumberedName:
        return self._names[id(picture)]


def sides(couples: Sequence[Couple], pictured: Sequence[Picture]) -> tuple[list[Picture], list[Picture]]:
    """The pictures that are called as the images of pairs are but for numbers, and as the masks are."""
    frames = [{numbered_name(couple[side]).frame for couple in couples} for side in (0, 1)]
    if frames[0] & frames[1]:
        return [image for image, _ in couples], [mask for _, mask in couples]
    named = [(one, numbered_name(one).frame) for one in pictured]
    images, masks = ([one for one, frame in named if frame in own] for own in frames)
    return images, masks


def _with_roles(
    couples: Sequence[Couple], images: Sequence[Picture], masks: Sequence[Picture]
) -> tuple[list[Picture], list[Picture]]:
    """The images and masks, those that are called as masks are in pairs among the latter: `a_0_mask` without
    `a_0` was taken for an image."""
    endings = {_ending(mask) for _, mask in couples} - {_ending(image) for image, _ in couples} - {""}
    called = [image for image in images if _ending(image) in endings]
    return without(list(images), called), [*masks, *(replace(one, role=Role.MASK) for one in called)]


def _ending(picture: Picture) -> str:
    """What stands behind the last number of a name."""
    return re.split(r"\d", picture.stem)[-1]


def _with(
    matched: Matched, couples: list[Couple], images: Sequence[Picture], masks: Sequence[Picture]
) -> Matched:
    more = Matched(more=matched.more, rivals=matched.rivals, images=list(images), masks=list(masks))
    return also(more, couples)


def _exchanged(matched: Matched, names: _Names) -> _Reading | None:
    """The pairs by two numbers in each other's place, of the places by which there are most, if these are
    nearly as many as by equal numbers."""
    owners = _by_name(names.images, names)
    places = {pair for one in names.masks for pair in names[one].exchangeable}
    readings = []
    for one, other in sorted(places):
        couples = []
        for mask in names.masks:
            name = names[mask]
            meant = name.exchanged(one, other) if (one, other) in name.exchangeable else name
            owned = owners.get(meant, [])
            couples += [(owned[0], mask)] if len(owned) == 1 else []
        if any(names[image] != names[mask] for image, mask in couples):
            readings.append(_Reading("exchanged", couples))
    best = max(readings, key=lambda reading: len(reading.couples), default=None)
    most = len(matched.couples)
    return best if best and len(best.couples) >= max(_NEARLY_ALL * most, most - 1, _FEWEST) else None


def _by_name(pictures: Iterable[Picture], names: _Names) -> dict[NumberedName, list[Picture]]:
    found: defaultdict[NumberedName, list[Picture]] = defaultdict(list)
    for picture in pictures:
        found[names[picture]].append(picture)
    return dict(found)


def _in_order(matched: Matched, names: _Names) -> _Reading | None:
    """The pairs by place, where as many images as masks have the same gaps between their numbers, and these
    begin elsewhere."""
    of_images, of_masks = _counted(names.images, names), _counted(names.masks, names)
    shifted: list[Couple] = []
    for frame, own in of_images.items():
        other = of_masks.get(frame, {})
        if len(own) == len(other) >= _FEWEST and _gaps(own) == _gaps(other) and min(own) != min(other):
            shifted += [(own[a], other[b]) for a, b in zip(sorted(own), sorted(other), strict=True)]
    if not shifted:
        return None
    taken = {id(picture) for couple in shifted for picture in couple}
    kept = [couple for couple in matched.couples if not taken & {id(one) for one in couple}]
    return _Reading("in_order", [*kept, *shifted])


def _counted(pictures: Sequence[Picture], names: _Names) -> dict[object, dict[int, Picture]]:
    """The pictures by their last number, of those of which all else is the same."""
    found: defaultdict[object, dict[int, Picture]] = defaultdict(dict)
    for picture in pictures:
        name = names[picture]
        if name.numbers:
            found[name.frame, name.numbers[:-1]].setdefault(name.numbers[-1], picture)
    return found


def _gaps(numbers: Iterable[int]) -> list[int]:
    ordered = sorted(numbers)
    return [number - ordered[0] for number in ordered]


def _is_right(reading: _Reading, equal: list[Couple], read: Read, log: ProblemLog) -> bool:
    """Whether another reading than by equal numbers is right: as sizes and contents tell, or is asked."""
    own = {id(mask): image for image, mask in equal}
    differing = [
        (image, own[id(mask)], mask)
        for image, mask in reading.couples
        if own.get(id(mask), image) is not image
    ]
    some = spread(differing, _COMPARED)
    others = [(image.member, mask.member) for image, _, mask in some]
    equals = [(image.member, mask.member) for _, image, mask in some]
    says_more = len(reading.couples) > len(equal)
    by_sizes = sizes_tell(read, others, equals)
    tells = by_sizes or better(read, others, equals)
    if tells < 0 or (not some and not says_more):
        return False
    if not some and (contested := _contested(reading, equal)):
        return _asked_of_images(reading, len(equal), contested, read, log)
    if not some or (tells > 0 and (says_more or by_sizes)):
        image, mask = others[-1] if others else members_of(reading.couples[-1])
        log.guess(f"{_TEXTS[reading.key]}: {shown(mask.path)} is the mask of {shown(image.path)}")
        return True
    offers = [
        _offer(reading.key, len(reading.couples), others, read),
        _offer("equal", len(equal), equals, read),
    ]
    if not says_more and tells == 0:
        offers.reverse()
    (image, mask), (rival, _) = equals[-1], others[-1]
    text = (
        "Equal numbers in the names of images and masks may belong together, or not: "
        f"{shown(mask.path)} is the mask of {shown(image.path)} or of {shown(rival.path)}."
    )
    return log.ask("pair_numbers", text, offers) == reading.key


def _contested(reading: _Reading, equal: list[Couple]) -> list[tuple[Couple, Couple]]:
    """The pairs of images that have another mask by equal numbers, with those."""
    own = {id(couple[0]): couple for couple in equal}
    found = [(couple, own[id(couple[0])]) for couple in reading.couples if id(couple[0]) in own]
    return [(one, other) for one, other in found if one[1] is not other[1]]


def _asked_of_images(
    reading: _Reading, equal: int, contested: Sequence[tuple[Couple, Couple]], read: Read, log: ProblemLog
) -> bool:
    """Ask, where no mask has another image by equal numbers, and images have other masks."""
    others, equals = ([members_of(pair[side]) for pair in contested] for side in (0, 1))
    offers = [
        _offer("equal", equal, equals, read),
        _offer(reading.key, len(reading.couples), others, read),
    ]
    (image, mask), (_, rival) = equals[0], others[0]
    text = (
        "Equal numbers in the names of images and masks may belong together, or not: the mask of "
        f"{shown(image.path)} is {shown(mask.path)} or {shown(rival.path)}."
    )
    return log.ask("pair_numbers", text, offers) == reading.key


def members_of(couple: Couple) -> tuple[Member, Member]:
    """The files of a pair."""
    return couple[0].member, couple[1].member


def _offer(key: str, count: int, couples: Sequence[tuple[Member, Member]], read: Read) -> Offer:
    rows = spread(couples, MOST_ROWS)
    return Offer(
        key=key,
        text=_TEXTS[key],
        count=count,
        options={"pair_numbers": key},
        examples=[f"{image.path} with {mask.path}" for image, mask in couples],
        draw=preview(read, [Example(image=image, masks=[mask]) for image, mask in rows]),
    )
