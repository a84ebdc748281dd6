"""Pairs by numbers, as `renumbering` finds them, for formats with folders of their own, and of images that
have several masks."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.pairing.choice.content_fit import Read
from workers.ingest.pairing.mask_labels import Labelled, Masks
from workers.ingest.pairing.matching import Matched
from workers.ingest.pairing.names.renumbering import members_of, renumbered
from workers.ingest.paths.layout import Picture, pictures
from workers.ingest.problems import ProblemLog


def renumbered_members(
    couples: list[tuple[Member, Member]],
    images: Collection[Member],
    masks: Collection[Member],
    source: Source,
    options: IngestOptions,
    log: ProblemLog,
    called: Callable[[Member], str] | None = None,
) -> list[tuple[Member, Member]]:
    """As `renumbered`, for a format that knows its folders: pairs of these images and masks.

    `called` gives the words and numbers by which the format pairs them, where names of files have more.
    """
    paths = {member.path for member in (*images, *masks)}
    by_path = {one.member.path: one for one in pictures(source.members) if one.member.path in paths}
    if called is not None:
        by_path = {
            path: replace(one, folders=(), split=None, stem=called(one.member))
            for path, one in by_path.items()
        }
    named = Matched(couples=[(by_path[image.path], by_path[mask.path]) for image, mask in couples])
    own_images, own_masks = ([by_path[one.path] for one in side] for side in (images, masks))
    found = renumbered(named, own_images, own_masks, options, source.read, log)
    return [members_of(couple) for couple in found.couples]


def renumbered_masks(
    masks: Masks, images: Mapping[str, Picture], options: IngestOptions, read: Read, log: ProblemLog
) -> Masks:
    """As `renumbered`, of images that have several masks each, whatever tells these apart: they are taken to
    be called as their images."""
    labels: dict[str, Labelled] = {}
    couples = []
    for path, labelled in masks.items():
        image = images[path]
        for one in labelled:
            labels[one.mask.member.path] = one
            couples.append((image, replace(image, member=one.mask.member)))
    matched = Matched(couples=couples)
    found: defaultdict[str, list[Labelled]] = defaultdict(list)
    called = [mask for _, mask in couples]
    for image, mask in renumbered(matched, list(images.values()), called, options, read, log).couples:
        found[image.member.path].append(labels[mask.member.path])
    return dict(found)
