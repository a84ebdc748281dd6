"""Images of which each has several masks: of one class each, of one object each, or parts of one.

Masks of classes lie in a folder per class, `masks/cat/0.png` for `images/0.jpg`; have the class behind the
image's name, `masks/0_cat.png`, before or within it; or lie in a folder of the image's own,
`0/masks/cat.png`, `masks/0/cat.png`.
What is there in the place of `cat` is a class where it comes again with other images, else it counts objects.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Read
from workers.ingest.masks.class_masks import OBJECT, Named
from workers.ingest.pairing.choice.several_masks_question import (
    asked_for_annotators,
    asked_for_classes,
    show_the_same,
)
from workers.ingest.pairing.mask_labels import (
    Labelled,
    Masks,
    are_first_ones,
    are_told_apart,
    classes_of_counted,
    come_again,
    is_count,
    may_count,
)
from workers.ingest.pairing.mask_owners import (
    RULES,
    Find,
    Homes,
    Owners,
    behind_name,
    counts_in_folder,
    in_class_folder,
    in_images_folder,
    in_same_home,
    owner_of,
    within_images_folder,
)
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.role_words import names_mask
from workers.ingest.paths.words import Words, is_number, words
from workers.ingest.problems import ProblemLog, shown

_IN_FOLDERS_OF_IMAGES = (in_images_folder, within_images_folder, in_same_home)


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
        owner_of(named, mask, mask.plain, mask.name) and not counts_in_folder(mask, owners) for mask in masks
    ):
        return None
    readings = [
        Several(found, find in _IN_FOLDERS_OF_IMAGES, find is in_class_folder)
        for find in RULES
        if (found := _found_by(find, masks, owners, homes))
    ]
    # `masks/000/0.png` may be of image 000 or 0: the rule by which most images have masks holds
    best = max(
        readings,
        key=lambda one: (len(one.masks), are_told_apart(one.masks), come_again(one.masks)),
        default=None,
    )
    if best is None or all(len(labelled) == 1 for labelled in best.masks.values()):
        return None
    if not best.are_folders and _lie_apart(best.masks):
        return None
    behind = {owned[0].member.path for one in masks if (owned := behind_name(one, owners, homes))}
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


def _are_in_folders_of_classes(several: Several) -> bool:
    """Whether images have masks in several folders, of which some hold more than one of an image's: folders
    that part the images, 2,000 in each, have all of an image."""
    return several.are_folders and any(
        len({one.label for one in labelled}) > 1 for labelled in several.masks.values()
    )


def _found_by(find: Find, masks: Sequence[Picture], owners: Owners, homes: Homes) -> Masks:
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
    counted = classes_of_counted(found) if options.several_masks is None else None
    if counted is not None:
        one = next(iter(counted.values()))[0]
        log.guess(
            f"{shown(one.mask.member.path)} is of the class {one.label}: numbers count a class's objects"
        )
        found = counted
    elif not _are_classes(several, images, options, read, log):
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
    if not are_told_apart(found):
        return _are_in_folders_of_classes(several) and not all(map(is_count, distinct))
    if (
        may_count(distinct, are_folders=several.are_folders)
        and len(found) > 1
        and 2 * len(distinct) <= len(labels)
    ):
        return not are_first_ones(found, distinct) and asked_for_classes(found, images, read, log)
    if not any(is_count(label) for label in distinct):
        are_classes = not several.are_free or 2 * len(distinct) <= len(labels)
        if are_classes and show_the_same(found, read):
            return asked_for_annotators(found, images, read, log)
        return are_classes
    sizes = {len(labelled) for labelled in found.values()}
    if len(sizes) > 1 or len(found) < 2 or 2 * len(distinct) > len(labels):
        return False
    return asked_for_classes(found, images, read, log)
