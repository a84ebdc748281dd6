"""Asks which pictures are the masks, where several fit the same images."""

import posixpath
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

import cv2
import numpy as np

from workers.ingest.archive import Member
from workers.ingest.pairing.choice.counted_masks import counted_masks, have_several
from workers.ingest.pairing.guess_pairs import NAME_THEM
from workers.ingest.pairing.matching import Matched, derived
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.patterns import pattern_of
from workers.ingest.paths.role_words import MASK_WORDS
from workers.ingest.paths.words import words
from workers.ingest.pictures.decode import load, rgb_pixels
from workers.ingest.pictures.mask_files import color_codes
from workers.ingest.problems import Offer, ProblemLog, Refused, shown
from workers.ingest.question_previews import Example, preview

CODE = "masks_ambiguous"
_UNION = "union"
_COMPARED = 4
"""Masks of each kind that are compared."""
_ALIKE = 0.98
"""Share of pixels in which masks of different images agree that show the field of view, not a content."""

Read = Callable[[Member], bytes]


def chosen(
    readings: Sequence[list[Couple]],
    found: Sequence[Picture],
    read: Read,
    log: ProblemLog,
    *,
    several: str | None = "classes",
) -> list[Couple]:
    """One of several readings, each the pairs that it makes: those of one content are no choice, others are
    asked for. With `several`, the option `several_masks`, of None or union, all together may be meant: then
    images have several masks. Raises Refused where no pattern tells them apart."""
    different = _of_different_content(_of_plain_images(readings), read)
    if len(different) == 1:
        return different[0]
    counted = counted_masks(different, found) if several != "classes" else []
    if counted and several == "union":
        return counted
    ordered = sorted(different, key=lambda pairs: _are_all_alike(pairs, read))
    everything = [picture.member.path for picture in found]
    fitting = [picture.member.path for pairs in ordered for couple in pairs for picture in couple]
    offers = [
        _offer(number, pairs, fitting, everything, read) for number, pairs in enumerate(ordered, start=1)
    ]
    known = [(offer, pairs) for offer, pairs in zip(offers, ordered, strict=True) if offer is not None]
    named = [offer for offer, _ in known]
    if len(named) < len(ordered) and not counted:
        raise _ambiguous(ordered)
    key = log.ask(
        CODE,
        f"{len(ordered)} pictures may be the mask of an image: {_listed(ordered)}.",
        [
            *_with_union(named, counted, read),
            *(_as_classes(ordered, named) if len(named) == len(ordered) else ()),
        ],
    )
    if key == _UNION:
        return counted
    return next((pairs for offer, pairs in known if offer.key == key), ordered[0])


def by_rivals(matched: Matched) -> list[list[Couple]]:
    """The pairs of each kind of masks, where images have several of one name, or of images, where masks have;
    empty where these are no kinds that most have."""
    kinds: defaultdict[Hashable, list[Couple]] = defaultdict(list)
    for images, masks in matched.rivals:
        if min(len(images), len(masks)) > 1:
            return []
        for image in images:
            for mask in masks:
                kinds[_kind(image), _kind(mask)].append((image, mask))
    most = max((len(pairs) for pairs in kinds.values()), default=0)
    whole = [pairs for pairs in kinds.values() if 2 * len(pairs) > most and most > 1]
    return whole if len(whole) > 1 and most == len(matched.rivals) else []


def by_looks_or_names(
    pairs: list[Couple], found: Sequence[Picture], read: Read, log: ProblemLog
) -> list[Couple]:
    """Ask which of two pictures is the mask, where names say one thing and looks another."""
    everything = [picture.member.path for picture in found]
    one = pattern_of([image.member.path for image, _ in pairs], everything)
    other = pattern_of([mask.member.path for _, mask in pairs], everything)
    exchanged = [(mask, image) for image, mask in pairs]
    if one is None or other is None:
        raise _ambiguous([pairs, exchanged])
    offers = [
        Offer(
            key=key,
            text=f"the images are {images}, the masks {masks}",
            count=len(pairs),
            options={"images": images, "masks": masks},
            examples=[f"{image.member.path} with {mask.member.path}" for image, mask in couples],
            draw=preview(read, [Example(image=image.member, masks=[mask.member]) for image, mask in couples]),
        )
        for key, images, masks, couples in (
            ("by_looks", other, one, exchanged),
            ("by_names", one, other, pairs),
        )
    ]
    text = f"By its name {pairs[0][1].member.path} is a mask, by its look {pairs[0][0].member.path} is one."
    return exchanged if log.ask("roles_turned", text, offers) == "by_looks" else pairs


def _kind(picture: Picture) -> Hashable:
    """What pictures of one kind have in common: where they lie, and what their names say beside."""
    folders = tuple(folder.said for folder in picture.folders if folder.role is not None)
    stem = tuple(word for word in words(picture.stem) if word in MASK_WORDS)
    return folders, stem, posixpath.splitext(picture.member.path)[1].casefold()


def _of_plain_images(readings: Sequence[list[Couple]]) -> list[list[Couple]]:
    """The readings without those whose images are called as another is with words around, `1_depth`, or lie
    under its name in a folder below it, `depth/1`."""
    kept = []
    for pairs in readings:
        images = [image for image, _ in pairs]
        others = [image for other in readings if other is not pairs for image, _ in other]
        if 2 * (len(derived(images, others)) + _below(images, others)) < len(images) or not images:
            kept.append(pairs)
    return kept or list(readings)


def _below(images: Sequence[Picture], others: Sequence[Picture]) -> int:
    """How many images lie in a folder beside another of the same name."""
    places = {(posixpath.dirname(other.member.path), other.stem) for other in others}
    return sum((posixpath.dirname(posixpath.dirname(one.member.path)), one.stem) in places for one in images)


def _offer(
    number: int, pairs: list[Couple], fitting: Sequence[str], everything: Sequence[str], read: Read
) -> Offer | None:
    """The choice of these pairs; `fitting` are the pictures of all readings. What is in none may be meant by
    the pattern of images, too: they have no masks."""
    own = [image.member.path for image, _ in pairs]
    endings = {posixpath.splitext(path)[1] for path in own}
    alone = set(everything) - set(fitting)
    like = [path for path in sorted(alone) if posixpath.splitext(path)[1] in endings]
    images = pattern_of([*own, *like], fitting) or pattern_of(own, fitting)
    masks = pattern_of([mask.member.path for _, mask in pairs], everything)
    if masks is None:
        return None
    options = {"masks": masks} | ({"images": images} if images else {})
    return Offer(
        key=f"masks_{number}",
        text=f"the masks are {masks}",
        count=len(pairs),
        options=options,
        examples=[f"{image.member.path} with {mask.member.path}" for image, mask in pairs],
        draw=preview(read, [Example(image=image.member, masks=[mask.member]) for image, mask in pairs]),
    )


def _with_union(offers: list[Offer], counted: Sequence[Couple], read: Read) -> list[Offer]:
    """With the choice that all masks are meant, first where images have different numbers of them."""
    if not counted:
        return offers
    masks: defaultdict[str, list[Member]] = defaultdict(list)
    for image, mask in counted:
        masks[image.member.path].append(mask.member)
    images = {image.member.path: image.member for image, _ in counted}
    examples = [Example(image=images[path], masks=some, joined=True) for path, some in masks.items()]
    union = Offer(
        key=_UNION,
        text="all are masks, and show parts of one class",
        count=len(images),
        options={"several_masks": _UNION},
        examples=[one.path for one in max(masks.values(), key=len)],
        draw=preview(read, examples),
    )
    return [union, *offers] if have_several(counted) else [*offers, union]


def _as_classes(readings: Sequence[list[Couple]], offers: Sequence[Offer]) -> list[Offer]:
    """That each reading has the masks of another class, named by what its pattern has for itself."""
    patterns = [str(offer.options["masks"]) for offer in offers]
    names = [_class_name(pattern, patterns) for pattern in patterns]
    if len(set(names)) < len(names) or not all(names):
        return []
    both = set.intersection(*({image.member.path for image, _ in pairs} for pairs in readings))
    options: dict[str, object] = {"class_masks": dict(zip(names, patterns, strict=True))}
    shared = {offer.options.get("images") for offer in offers}
    if len(shared) == 1 and None not in shared:
        options["images"] = shared.pop()
    return [
        Offer(
            key="classes",
            text=f"each shows a class of its own: {', '.join(names)}",
            count=len(both),
            options=options,
        )
    ]


def _class_name(pattern: str, patterns: Sequence[str]) -> str:
    """The first folder or file part in which the pattern differs from the others, without signs."""
    parts = [one.split("/") for one in patterns]
    for index, part in enumerate(pattern.split("/")):
        if {len(one) for one in parts} != {len(parts[0])} or len({one[index] for one in parts}) > 1:
            stem = part.partition(".")[0] if "*" in part else part
            return stem.replace("*", "").strip("_- ")
    return ""


def _of_different_content(readings: list[list[Couple]], read: Read) -> list[list[Couple]]:
    """The readings without those whose masks part images as others do, in other colours or values."""
    kept: list[list[Couple]] = []
    for pairs in sorted(readings, key=lambda pairs: _has_colors(pairs, read)):
        if not any(_same_partitions(pairs, other, read) for other in kept):
            kept.append(pairs)
    return [pairs for pairs in readings if any(pairs is one for one in kept)]


def _same_partitions(one: Sequence[Couple], other: Sequence[Couple], read: Read) -> bool:
    """Whether the masks of the same images have their borders at the same places."""
    masks = {image.member.path: mask.member for image, mask in other}
    shared = [(mask.member, masks[image.member.path]) for image, mask in one if image.member.path in masks]
    compared = [_same_partition(read(a), read(b)) for a, b in shared[:_COMPARED]]
    return bool(compared) and all(compared)


def _same_partition(one: bytes, other: bytes) -> bool:
    try:
        a, b = (color_codes(rgb_pixels(load(data, cv2.IMREAD_COLOR_RGB))) for data in (one, other))
    except Refused:
        return False
    if a.shape != b.shape:
        return False
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return bool(pairs.shape[1] == len(np.unique(pairs[0])) == len(np.unique(pairs[1])))


def _has_colors(pairs: Sequence[Couple], read: Read) -> bool:
    """Whether the first mask has colours: of equal masks, those with values are to be read."""
    try:
        pixels = rgb_pixels(load(read(pairs[0][1].member), cv2.IMREAD_COLOR_RGB))
    except Refused:
        return True
    first = pixels[..., :1]
    return bool((pixels != first).any())


def _are_all_alike(pairs: Sequence[Couple], read: Read) -> bool:
    """Whether the masks of different images are nearly the same, as those of a field of view."""
    shapes = []
    for _, mask in pairs[:: max(1, len(pairs) // _COMPARED)][:_COMPARED]:
        try:
            shapes.append(rgb_pixels(load(read(mask.member), cv2.IMREAD_COLOR_RGB))[..., 0])
        except Refused:
            return False
    first = shapes[0]
    return len(shapes) > 1 and all(
        one.shape == first.shape and float((one == first).mean()) > _ALIKE for one in shapes[1:]
    )


def _listed(readings: Sequence[list[Couple]]) -> str:
    return "; ".join(
        f"{shown(image.member.path)} with {shown(mask.member.path)}" for (image, mask), *_ in readings
    )


def _ambiguous(readings: Sequence[list[Couple]]) -> Refused:
    return Refused(CODE, f"Several pictures may be the mask of an image: {_listed(readings)}.", NAME_THEM)
