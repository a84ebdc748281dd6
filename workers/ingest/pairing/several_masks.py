"""Images of which each has several masks: of one class each, of one object each, or parts of one.

Masks of classes lie in a folder per class, `masks/cat/0.png` for `images/0.jpg`; have the class behind the
image's name, `masks/0_cat.png`, before or within it; or lie in a folder of the image's own,
`0/masks/cat.png`, `masks/0/cat.png`.
What is there in the place of `cat` is a class where it comes again with other images, else it counts objects.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Read
from workers.ingest.masks.class_masks import OBJECT, Named
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.role_words import IMAGE_WORDS, MASK_WORDS, names_mask
from workers.ingest.paths.words import Words, is_number, words
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.question_previews import Example, preview

_HEXADECIMAL = frozenset("0123456789abcdef")
_HASH_LETTERS = 8
_ANNOTATORS = frozenset(("annotator", "observer", "reader", "rater", "expert", "grader"))
_CLASS_WORDS = frozenset(("class", "classes", "cls", "category"))


@dataclass(frozen=True)
class Labelled:
    """A mask of an image and what tells it from the image's other masks, as written."""

    label: str
    mask: Picture


Masks = dict[str, list[Labelled]]
"""The masks of each image, by the image's path."""


_Owners = Mapping[tuple[tuple[Words, ...], Words], list[Picture]]
_Homes = Mapping[tuple[Words, ...], list[Picture]]
_Find = Callable[[Picture, _Owners, _Homes], tuple[Picture, str] | None]


@dataclass(frozen=True)
class Several:
    """Images that have several masks. Where these lie in a folder of their image's own, they may be called
    anything: `are_free` labels tell classes only where they come again. `are_folders` ones are folders."""

    masks: Masks
    are_free: bool
    are_folders: bool


def several(images: Sequence[Picture], masks: Sequence[Picture]) -> Several | None:
    """The masks of each image where all masks are told apart so; None where one is not, or is an image's only
    mask by its name, or no image has several, or more images have one each by another rule."""
    owners: dict[tuple[tuple[Words, ...], Words], list[Picture]] = defaultdict(list)
    homes: dict[tuple[Words, ...], list[Picture]] = defaultdict(list)
    named: dict[tuple[tuple[Words, ...], Words], list[Picture]] = defaultdict(list)
    for image in images:
        named[image.plain, image.name].append(image)
        for name in {words(image.stem), image.name}:
            if name == words(image.stem) or not all(map(is_number, name)):
                owners[image.plain, name].append(image)  # of a number alone, half of all names have one
        if not names_mask(words(image.stem)):  # a mask without its image among masks is not what they are of
            homes[image.plain].append(image)
    if any(
        _owner(named, mask, mask.plain, mask.name) and not _counts_in_folder(mask, owners) for mask in masks
    ):
        return None
    readings = [
        Several(found, find in (_in_images_folder, _in_same_home), find is _in_class_folder)
        for find in (_in_class_folder, _in_images_folder, _behind_name, _before_name, *_WITHIN, _in_same_home)
        if (found := _found_by(find, masks, owners, homes))
    ]
    # `masks/000/0.png` may be of image 000 or 0: the rule by which most images have masks holds
    best = max(readings, key=lambda one: (len(one.masks), _come_again(one.masks)), default=None)
    if best is None or all(len(labelled) == 1 for labelled in best.masks.values()):
        return None
    if not best.are_folders and _lie_apart(best.masks):
        return None
    behind = {owned[0].member.path for one in masks if (owned := _behind_name(one, owners, homes))}
    return best if len(behind) <= len(best.masks) else None  # `5_manual_1` is of 5, or with all others of 1


def _lie_apart(masks: Masks) -> bool:
    """Whether each label is that of another folder: these are masks of several kinds, such as `masks/0_map`
    and `masks_color/0_raw`, of which each image has one."""
    folders: defaultdict[str, set[str]] = defaultdict(set)
    for labelled in masks.values():
        for one in labelled:
            roles = [folder.name for folder in one.mask.folders if folder.role]
            folders[one.label.casefold()].add("/".join(roles))
    apart = [names for names in folders.values() if len(names) == 1]
    return len(apart) == len(folders) > 1 and len(set.union(*apart)) == len(folders)


def _come_again(masks: Masks) -> bool:
    """Whether a label is that of masks of several images: a folder of one image's masks names no class."""
    own = [{one.label for one in labelled} for labelled in masks.values()]
    return len(set().union(*own)) < sum(map(len, own))


def _found_by(find: _Find, masks: Sequence[Picture], owners: _Owners, homes: _Homes) -> Masks:
    """The masks of each image by one rule; empty where it leaves a mask over."""
    found: Masks = defaultdict(list)
    for mask in masks:
        owned = find(mask, owners, homes)
        if owned is None:
            return {}
        found[owned[0].member.path].append(Labelled(owned[1], mask))
    return dict(found)


def named_masks(
    several: Several, images: Mapping[str, Picture], options: IngestOptions, read: Read, log: ProblemLog
) -> dict[str, list[Named]]:
    """The name of the class that each mask of an image shows; asks where labels are classes or objects."""
    found = several.masks
    if not _are_classes(several, images, options, read, log):
        return {path: [(OBJECT, one.mask.member) for one in labelled] for path, labelled in found.items()}
    return {path: [(one.label, one.mask.member) for one in labelled] for path, labelled in found.items()}


def _are_classes(
    several: Several, images: Mapping[str, Picture], options: IngestOptions, read: Read, log: ProblemLog
) -> bool:
    if options.several_masks is not None:
        return options.several_masks == "classes"
    found = several.masks
    labels = [one.label for labelled in found.values() for one in labelled]
    distinct = {label.casefold() for label in labels}
    unique = all(len({one.label for one in labelled}) == len(labelled) for labelled in found.values())
    if not unique:
        return False
    if _may_count(distinct, several) and len(found) > 1 and 2 * len(distinct) <= len(labels):
        return not _are_first_ones(found, distinct) and _asked(found, images, read, log)
    if not any(_is_count(label) for label in distinct):
        return not several.are_free or 2 * len(distinct) <= len(labels)
    sizes = {len(labelled) for labelled in found.values()}
    if len(sizes) > 1 or len(found) < 2 or 2 * len(distinct) > len(labels):
        return False
    return _asked(found, images, read, log)


def _asked(found: Masks, images: Mapping[str, Picture], read: Read, log: ProblemLog) -> bool:
    """Masks of each image are told apart by numbers: of objects, classes, or annotators."""
    examples = [
        Example(image=images[path].member, masks=[one.mask.member for one in labelled])
        for path, labelled in found.items()
    ]
    joined = [Example(image=one.image, masks=one.masks, joined=True) for one in examples]
    first = max(found.values(), key=len)
    offers = [
        Offer(
            key="union",
            text="they show parts of one class",
            count=len(found),
            options={"several_masks": "union"},
            examples=[one.mask.member.path for one in first],
            draw=preview(read, joined),
        ),
        Offer(
            key="classes",
            text="each shows a class of its own",
            count=len(found),
            options={"several_masks": "classes"},
            examples=[one.mask.member.path for one in first],
            draw=preview(read, examples),
        ),
    ]
    sizes = sorted({len(labelled) for labelled in found.values()})
    count = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    text = f"Each of {len(found)} images has {count} masks that numbers or letters tell apart, such as "
    listed = " and ".join(one.mask.member.path for one in first[:2])
    return log.ask("several_masks", f"{text}{listed}.", offers) == "classes"


def _may_count(labels: Collection[str], several: Several) -> bool:
    """Whether labels are of the same words and differ in numbers or a letter, which may count objects as well
    as classes: `obj_0` and `obj_1`, `a` and `b`. Folders are called so for classes or annotators."""
    said = [words(label) for label in labels]
    others = {tuple(word for word in one if not is_number(word)) for one in said}
    other = set(others.pop())
    if len(said) < 2 or (several.are_folders and not other & _ANNOTATORS):
        return False
    letters = all(len(label) == 1 and label.isalpha() for label in labels)
    return letters or (not others and bool(other) and not other & _CLASS_WORDS)


def _are_first_ones(found: Masks, labels: Collection[str]) -> bool:
    """Whether the images have different numbers of masks, and each the first so many of all labels, as
    objects are counted."""
    ordered = sorted(labels, key=lambda label: [(len(word), word) for word in words(label)])
    own = [{one.label.casefold() for one in labelled} for labelled in found.values()]
    return len({len(one) for one in own}) > 1 and all(one == set(ordered[: len(one)]) for one in own)


def _is_count(label: str) -> bool:
    """Whether a label counts objects: a number, or a hash."""
    said = [word for word in words(label) if word not in MASK_WORDS | IMAGE_WORDS]
    text = label.casefold()
    return all(is_number(word) for word in said) or (len(text) >= _HASH_LETTERS and set(text) <= _HEXADECIMAL)


def _owner(owners: _Owners, mask: Picture, folders: tuple[Words, ...], name: Words) -> Picture | None:
    """The one image of that name whose split agrees."""
    fitting = [
        image
        for image in owners.get((folders, name), [])
        if image.split is None or mask.split is None or image.split == mask.split
    ]
    if len(fitting) > 1:
        fitting = [image for image in fitting if image.split == mask.split]
    return fitting[0] if len(fitting) == 1 else None


def _in_class_folder(mask: Picture, owners: _Owners, _: _Homes) -> tuple[Picture, str] | None:
    if not mask.plain:
        return None
    said = words(mask.stem)
    names = [mask.name, *(said[:length] for length in range(len(said) - 1, 0, -1))]
    found = (_owner(owners, mask, mask.plain[:-1], name) for name in names)
    owner = next((one for one in found if one is not None), None)
    return None if owner is None else (owner, _last_folder(mask))


def _in_images_folder(mask: Picture, owners: _Owners, _: _Homes) -> tuple[Picture, str] | None:
    """A mask in a folder called as its image, `masks/image_1/cat.png`, or below: `gt/1/soft/1_cat.png`."""
    for depth in range(len(mask.folders) - 1, -1, -1):
        above = tuple(one.rest for one in mask.folders[:depth] if one.rest and one.role is None)
        owner = _owner(owners, mask, above, words(mask.folders[depth].name))
        if owner is not None:
            label = mask.stem.removeprefix(owner.stem).strip("_-. ()")
            return owner, label or mask.stem
    return None


def _counts_in_folder(mask: Picture, owners: _Owners) -> bool:
    """Whether a mask lies in its image's folder under another name: `masks/image_2/2.png`."""
    owned = _in_images_folder(mask, owners, {})
    return owned is not None and mask.name != words(owned[0].stem)


def _behind_name(mask: Picture, owners: _Owners, _: _Homes) -> tuple[Picture, str] | None:
    said = words(mask.stem)
    for length in range(len(said) - 1, 0, -1):
        owner = _owner(owners, mask, mask.plain, said[:length])
        if owner is not None:
            label = mask.stem[len(owner.stem) :] if mask.stem.startswith(owner.stem) else ""
            return owner, label.strip("_-. ()") or "_".join(said[length:])
    return None


def _before_name(mask: Picture, owners: _Owners, _: _Homes) -> tuple[Picture, str] | None:
    said = words(mask.stem)
    for length in range(1, len(said)):
        owner = _owner(owners, mask, mask.plain, said[length:])
        if owner is not None:
            label = mask.stem.removesuffix(owner.stem) if mask.stem.endswith(owner.stem) else ""
            return owner, label.strip("_-. ()") or "_".join(said[:length])
    return None


def _within_name(mask: Picture, owners: _Owners, _: _Homes, *, place: int) -> tuple[Picture, str] | None:
    """A mask with a number or a letter among the words of its image's name: `p0_1_x` of `p0_x`."""
    name = mask.name
    if place + 1 >= len(name) or not (is_number(name[place]) or len(name[place]) == 1):
        return None
    owner = _owner(owners, mask, mask.plain, name[:place] + name[place + 1 :])
    return None if owner is None else (owner, name[place])


_WITHIN: tuple[_Find, ...] = tuple(partial(_within_name, place=place) for place in range(1, 5))


def _in_same_home(mask: Picture, _: _Owners, homes: _Homes) -> tuple[Picture, str] | None:
    """A mask in the folder that its image alone has."""
    fitting = [image for image in homes.get(mask.plain, []) if image.split in (None, mask.split)]
    return (fitting[0], mask.stem) if len(fitting) == 1 and mask.plain else None


def _last_folder(mask: Picture) -> str:
    return next(one.name for one in reversed(mask.folders) if one.rest and one.role is None)
