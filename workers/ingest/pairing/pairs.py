"""The pairs of a set: images with names of their own, each with its mask, or its masks."""

from dataclasses import dataclass
from itertools import pairwise

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.files.class_folders import class_folders
from workers.ingest.items import Source
from workers.ingest.masks.class_masks import Named
from workers.ingest.pairing.report import report_clash
from workers.ingest.pairing.search import FoundPairs, found_pairs
from workers.ingest.paths.layout import Picture
from workers.ingest.problems import ProblemLog, Refused


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An image and its mask; `name` is unique in the set and has nothing of the archive's common top folders.

    The image may have several `masks`, each with a part of what is to be seen, or none, which makes it all
    background. Where masks show one class each, `class_masks` are the image's, else None. `class_folder` is
    the folder that may name its class.
    """

    name: str
    image: Member
    masks: tuple[Member, ...]
    class_masks: tuple[Named, ...] | None = None
    class_folder: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """The pairs, by name, and in words how they were found."""

    pairs: list[Pair]
    origin: str


def pair(source: Source, options: IngestOptions, log: ProblemLog) -> Pairing:
    """The pairs; images and masks that stay alone are logged, what is open is asked.

    Raises Refused for a pattern of the client's that no picture has, and where several masks fit the images
    and no pattern tells them apart.
    """
    found = found_pairs(source, options, log)
    pairs = sorted(_as_pairs(found, options), key=lambda one: one.name)
    for one, other in pairwise(pairs):
        if one.name == other.name:
            report_clash([one.image, other.image], log)
    return Pairing(pairs=pairs, origin=found.origin)


def _common_top(images: list[Picture]) -> int:
    """How many leading folders all images share."""
    groups = {image.group for image in images}
    if not groups:
        return 0
    first, last = min(groups), max(groups)
    same = (a == b for a, b in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))


def _as_pairs(found: FoundPairs, options: IngestOptions) -> list[Pair]:
    images = [image for image, _ in found.masks]
    top = _common_top(images)
    folder_of = class_folders([image for image, masks in found.masks if masks])
    if options.class_folders == "classes" and not folder_of:
        raise Refused(
            "class_folders_absent",
            "The folders of the images name no classes: they differ at no depth, at several, or in numbers.",
            "Leave `class_folders` out, or name the classes' masks by `class_masks`.",
        )
    pairs = []
    for image, masks in found.masks:
        split = image.split or next((mask.split for mask in masks if mask.split), None)
        folder = folder_of.get(image.member.path)
        named = found.named.get(image.member.path, []) if found.named is not None else None
        if options.class_folders == "classes" and named is None and folder_of:
            named = [(folder, mask.member) for mask in masks] if folder else []
        pairs.append(
            Pair(
                name=_name(image, split, top),
                image=image.member,
                masks=tuple(mask.member for mask in masks),
                class_masks=None if named is None else tuple(named),
                class_folder=folder,
            )
        )
    return pairs


def _name(image: Picture, split: str | None, top: int) -> str:
    return "/".join(((split,) if split else ()) + image.group[top:] + (image.stem,))
