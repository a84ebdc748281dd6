"""Finds each image's mask, or its masks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workers.ingest.archive import Member
from workers.ingest.class_masks import Named, by_class
from workers.ingest.layout import Picture, by_role, pictures
from workers.ingest.problems import ProblemLog, shown

Key = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An image and its mask; `name` is unique in the set and has nothing of the archive's common top folders.

    `split` is the one that folders name, or None. Where masks show one class each, `class_masks` are the
    image's, else None.
    """

    name: str
    split: str | None
    image: Member
    mask: Member
    class_masks: tuple[Named, ...] | None = None


def pair(members: Iterable[Member], log: ProblemLog) -> list[Pair]:
    """The pairs, by name; images and masks that stay alone are logged."""
    images, masks, others = by_role(pictures(members))
    if others:
        log.warning(
            "file_outside_folders",
            others[0].member.path,
            f"{len(others)} picture(s) lie outside the folders of images and masks and are left out.",
            "Nothing, if they do not belong to the set; else move them into these folders.",
        )
    single = by_class(images, masks)
    if single is not None:
        top = _common_top(images)
        pairs = [
            _with_class_masks(image, single[image.member.path], top)
            for image in images
            if image.member.path in single
        ]
        _report_alone(len(pairs), [image for image in images if image.member.path not in single], [], log)
    else:
        matched, lone_images, lone_masks = _match(images, masks, log)
        _report_alone(len(matched), lone_images, lone_masks, log)
        top = _common_top([image for image, _ in matched])
        pairs = [_as_pair(image, mask, top) for image, mask in matched]
    pairs.sort(key=lambda found: found.name)
    for one, other in pairwise(pairs):
        if one.name == other.name:
            _report_clash([one.image, other.image], log)
    return pairs


def _exact(picture: Picture) -> Key:
    return picture.split, picture.group, picture.stem


def _any_case(picture: Picture) -> Key:
    return picture.split, tuple(folder.casefold() for folder in picture.group), picture.stem.casefold()


def _without_suffix(picture: Picture) -> Key:
    return picture.split, tuple(folder.casefold() for folder in picture.group), picture.bare_stem


def _stem_alone(picture: Picture) -> Key:
    return (picture.bare_stem,)


def _match(
    images: list[Picture], masks: list[Picture], log: ProblemLog
) -> tuple[list[tuple[Picture, Picture]], list[Picture], list[Picture]]:
    """Pair from the strictest key to the loosest, so that a near name never takes an exact one's partner."""
    matched: list[tuple[Picture, Picture]] = []
    for key in (_exact, _any_case, _without_suffix, _stem_alone):
        found, clashes = _match_by(key, images, masks)
        if key is _stem_alone:
            found = [(image, mask) for image, mask in found if _may_belong(image, mask)]
            clashes = []
        matched += found
        for clash in clashes:
            _report_clash([picture.member for picture in clash], log)
        taken = {id(picture) for pair in (*found, *clashes) for picture in pair}
        images = [picture for picture in images if id(picture) not in taken]
        masks = [picture for picture in masks if id(picture) not in taken]
    return matched, images, masks


def _match_by(
    key: Callable[[Picture], Key], images: list[Picture], masks: list[Picture]
) -> tuple[list[tuple[Picture, Picture]], list[list[Picture]]]:
    """The images and masks that share a key, one of each; and the files of keys that have more."""
    sides: defaultdict[Key, tuple[list[Picture], list[Picture]]] = defaultdict(lambda: ([], []))
    for picture in images:
        sides[key(picture)][0].append(picture)
    for picture in masks:
        sides[key(picture)][1].append(picture)
    found = [(i[0], m[0]) for i, m in sides.values() if len(i) == len(m) == 1]
    clashes = [i + m for i, m in sides.values() if i and m and len(i) + len(m) > 2]
    return found, clashes


def _may_belong(image: Picture, mask: Picture) -> bool:
    """Whether the folders of the two do not contradict each other, though one says more than the other."""
    one, other = set(image.group), set(mask.group)
    same_split = image.split is None or mask.split is None or image.split == mask.split
    return same_split and (one <= other or other <= one)


def _report_clash(clash: Sequence[Member], log: ProblemLog) -> None:
    paths = [shown(member.path) for member in clash]
    listed = ", ".join(paths[:4]) + (" and more" if len(paths) > 4 else "")
    log.error(
        "duplicate_name",
        paths[0],
        f"It is not clear which image belongs to which mask: {listed}.",
        "Give each image a name of its own, and its mask the same name.",
    )


def _report_alone(pairs: int, images: list[Picture], masks: list[Picture], log: ProblemLog) -> None:
    if not pairs and not log.has_errors:
        log.error(
            "no_pairs",
            None,
            f"No image has a mask: {len(images)} image(s) and {len(masks)} mask(s) were found.",
            "Put images in images/ and masks of the same names in masks/, or end the masks' names in _mask; "
            "a file of annotations that is not in the upload goes with it as `annotation`.",
        )
        if not masks:
            return  # each image would be named for the same reason
    report = log.warning if len(images) <= pairs else log.error
    for picture in images:
        report(
            "image_without_mask",
            picture.member.path,
            "The image has no mask and is left out.",
            "Add a mask of the same name, or take the image out.",
        )
    report = log.warning if len(masks) <= pairs else log.error
    for picture in masks:
        report(
            "mask_without_image",
            picture.member.path,
            "The mask has no image and is left out.",
            "Add an image of the same name, or take the mask out.",
        )


def _common_top(images: list[Picture]) -> int:
    """How many leading folders all images share."""
    groups = {image.group for image in images}
    if not groups:
        return 0
    first, last = min(groups), max(groups)
    same = (a == b for a, b in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))


def _as_pair(image: Picture, mask: Picture, top: int) -> Pair:
    split = image.split or mask.split
    return Pair(name=_name(image, split, top), split=split, image=image.member, mask=mask.member)


def _with_class_masks(image: Picture, masks: list[Named], top: int) -> Pair:
    return Pair(
        name=_name(image, image.split, top),
        split=image.split,
        image=image.member,
        mask=masks[0][1],
        class_masks=tuple(masks),
    )


def _name(image: Picture, split: str | None, top: int) -> str:
    return "/".join(((split,) if split else ()) + image.group[top:] + (image.stem,))
