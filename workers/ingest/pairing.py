"""Finds each image's mask, or its masks."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.class_masks import Named, by_class, in_own_folders
from workers.ingest.formats.base import Source
from workers.ingest.inference import Inference
from workers.ingest.layout import Picture, by_role, pictures, without
from workers.ingest.marks import Couple
from workers.ingest.matching import ByWords, best_match, match, same_words
from workers.ingest.named_roles import named_classes, named_roles
from workers.ingest.pair_reports import (
    report_clash,
    report_images,
    report_masks,
    report_outside,
)
from workers.ingest.problems import ProblemLog


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An image and its mask; `name` is unique in the set and has nothing of the archive's common top folders.

    Where masks show one class each, `class_masks` are the image's, else None.
    """

    name: str
    image: Member
    mask: Member
    class_masks: tuple[Named, ...] | None = None


def pair(source: Source, options: IngestOptions, log: ProblemLog) -> list[Pair]:
    """The pairs, by name; images and masks that stay alone are logged.

    Raises Refused for a pattern of the client's that no picture has, and where several masks fit the images.
    """
    found = pictures(source.members)
    inference = Inference(source.read)
    by_words = same_words if options.images is not None else inference.pairs_with
    if options.class_masks is not None:
        pairs = _by_named_classes(found, options, by_words, log)
    elif options.images is not None or options.masks is not None:
        pairs = _by_named_roles(found, options, by_words, log)
    else:
        pairs = _by_rules(found, inference, log)
    pairs.sort(key=lambda one: one.name)
    for one, other in pairwise(pairs):
        if one.name == other.name:
            report_clash([one.image, other.image], log)
    return pairs


def _by_named_classes(
    found: list[Picture], options: IngestOptions, by_words: ByWords, log: ProblemLog
) -> list[Pair]:
    """The pairs where the client says which masks show which class."""
    images, masks_of = named_classes(found, options)
    named: defaultdict[str, list[Named]] = defaultdict(list)
    for name, masks in masks_of.items():
        for image, mask in best_match(images, masks, by_words, log).couples:
            named[image.member.path].append((name, mask.member))
    own = [image for image in images if image.member.path in named]
    _report_images(own, images, options, log)
    return _with_class_masks(own, named)


def _by_named_roles(
    found: list[Picture], options: IngestOptions, by_words: ByWords, log: ProblemLog
) -> list[Pair]:
    """The pairs where the client says which pictures are images, or which are masks."""
    images, masks = named_roles(found, options)
    matched = best_match(images, masks, by_words, log)
    _report_images([image for image, _ in matched.couples], images, options, log)
    report_masks(len(matched.couples), matched.masks, log)
    return _as_pairs(matched.couples)


def _report_images(
    paired: list[Picture], images: list[Picture], options: IngestOptions, log: ProblemLog
) -> None:
    """Tell of images without masks; unless the client named the images, they may be anything."""
    alone = without(images, paired)
    if options.images is None and paired:
        report_outside(alone, [], log)
    else:
        report_images(paired, alone, log)


def _by_rules(found: list[Picture], inference: Inference, log: ProblemLog) -> list[Pair]:
    """The pairs that names of folders and files tell; where these are few, those that the pictures tell."""
    images, masks, others = by_role(found)
    single = by_class(images, masks) or in_own_folders(images, masks)
    if single is not None:
        own = [image for image in images if image.member.path in single]
        report_outside(others, [], log)
        report_images(own, without(images, own), log)
        return _with_class_masks(own, single)
    clashes = ProblemLog()
    matched = match(images, masks, clashes)
    paired = [image for image, _ in matched.couples]
    if len(images) > 2 * len(paired) and not clashes.has_errors:
        inferred = inference.pairs(found, log)
        if len(inferred) > len(paired):
            report_outside(without(found, [picture for couple in inferred for picture in couple]), [], log)
            return _as_pairs(inferred)
    report_outside(others, inference.other_masks(paired, others), log)
    log.extend(clashes.problems())
    report_images(paired, matched.images, log, masks=len(masks))
    report_masks(len(paired), matched.masks, log)
    return _as_pairs(matched.couples)


def _common_top(images: list[Picture]) -> int:
    """How many leading folders all images share."""
    groups = {image.group for image in images}
    if not groups:
        return 0
    first, last = min(groups), max(groups)
    same = (a == b for a, b in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))


def _as_pairs(matched: list[Couple]) -> list[Pair]:
    top = _common_top([image for image, _ in matched])
    pairs = []
    for image, mask in matched:
        split = image.split or mask.split
        pairs.append(Pair(name=_name(image, split, top), image=image.member, mask=mask.member))
    return pairs


def _with_class_masks(images: list[Picture], named: dict[str, list[Named]]) -> list[Pair]:
    top = _common_top(images)
    return [
        Pair(
            name=_name(image, image.split, top),
            image=image.member,
            mask=named[image.member.path][0][1],
            class_masks=tuple(named[image.member.path]),
        )
        for image in images
    ]


def _name(image: Picture, split: str | None, top: int) -> str:
    return "/".join(((split,) if split else ()) + image.group[top:] + (image.stem,))
