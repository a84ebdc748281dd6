"""Finds which masks belong to which images: as the client says, as lists and names tell, or by looks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Read, Source
from workers.ingest.masks.class_masks import Named
from workers.ingest.pairing.choice.label_sets import label_sets
from workers.ingest.pairing.choice.listed_columns import means_pairs
from workers.ingest.pairing.choice.mask_choice import by_looks_or_names, by_rivals, chosen
from workers.ingest.pairing.choice.several_masks import named_masks, several
from workers.ingest.pairing.choice.unmasked import background_images, tells_nothing
from workers.ingest.pairing.client_patterns import named_classes, named_roles
from workers.ingest.pairing.guess_pairs import Inference, report_inferred
from workers.ingest.pairing.matching import (
    ByWords,
    Matched,
    also,
    best_match,
    crosses,
    derived,
    numbered_alike,
    of_the_same,
    same_words,
)
from workers.ingest.pairing.names.affixes import completed
from workers.ingest.pairing.names.copies import without_copies
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.pairing.names.renumbered_masks import renumbered_masks
from workers.ingest.pairing.names.renumbering import renumbered, renumbered_joined, sides
from workers.ingest.pairing.names.respelled import respelled
from workers.ingest.pairing.report import (
    report_clash,
    report_masks,
    report_no_pairs,
    report_outside,
    report_smooth,
)
from workers.ingest.paths.layout import Picture, by_role, pictures, without
from workers.ingest.problems import ProblemLog, Refused, shown
from workers.ingest.splits.lists.listed_pairs import listed_pairs


@dataclass(frozen=True, kw_only=True)
class FoundPairs:
    """Images with their masks, before they have names; see `Pair`."""

    masks: Sequence[tuple[Picture, Sequence[Picture]]]
    origin: str
    named: dict[str, list[Named]] | None = None


def found_pairs(source: Source, options: IngestOptions, log: ProblemLog) -> FoundPairs:
    """Images with their masks; what stays alone is logged, what is open asked. Raises as `pair` does."""
    pictured = without_copies(pictures(source.members), options, source.read, log)
    inference = Inference(source.read)
    by_words = same_words if options.images is not None else inference.readings_with
    if options.class_masks is not None:
        return _by_named_classes(pictured, options, by_words, source.read, log)
    if options.images is not None or options.masks is not None:
        return _by_named_roles(pictured, options, by_words, source.read, log)
    listed = _listed(source, pictured, options, log)
    by = partial(_by_lists, listed) if listed else _by_rules
    return by(pictured, options, inference, log)


def _by_named_classes(
    pictured: list[Picture], options: IngestOptions, by_words: ByWords, read: Read, log: ProblemLog
) -> FoundPairs:
    """The pairs where the client says which masks show which class."""
    images, masks_of = named_classes(pictured, options)
    named: defaultdict[str, list[Named]] = defaultdict(list)
    for name, masks in masks_of.items():
        matched = renumbered(best_match(images, masks, by_words), images, masks, options, read, log)
        matched = _settled(matched, pictured, read, log)
        for image, mask in (*matched.couples, *matched.more):
            named[image.member.path].append((name, mask.member))
    own = [image for image in images if image.member.path in named]
    alone = without(images, own)
    bare = _unmasked(own, alone, 0, options, log) if options.images is not None or not own else []
    if options.images is None and own:
        report_outside(alone, log)
    return FoundPairs(
        masks=[(image, ()) for image in (*own, *bare)], named=dict(named), origin="the option `class_masks`"
    )


def _by_named_roles(
    pictured: list[Picture], options: IngestOptions, by_words: ByWords, read: Read, log: ProblemLog
) -> FoundPairs:
    """The pairs where the client says which pictures are images, or which are masks."""
    images, masks = named_roles(pictured, options)
    matched = renumbered(best_match(images, masks, by_words), images, masks, options, read, log)
    matched = _settled(_of_all(matched, len(masks)), pictured, read, log)
    _report_rivals(matched, log)
    paired = [image for image, _ in _grouped(matched)]
    if options.images is None and options.unmasked is None and paired:
        bare = [image for image in matched.images if tells_nothing(image, paired)]
        report_outside(without(matched.images, bare), log)
    else:
        bare = _unmasked(paired, matched.images, len(matched.masks), options, log)
    report_masks(len(paired), matched.masks, log)
    used = " and ".join(f"`{one}`" for one in ("images", "masks") if getattr(options, one))
    masks_of = [*_grouped(matched), *((image, ()) for image in bare)]
    return FoundPairs(masks=masks_of, origin=f"the option {used}")


def _listed(source: Source, pictured: list[Picture], options: IngestOptions, log: ProblemLog) -> list[Couple]:
    """The pairs that lists of the upload name: `images/a.jpg labels/a.png`. Raises Refused where the client
    means them, and there are none."""
    by_path = {picture.member.path: picture for picture in pictured}
    is_meant = partial(means_pairs, source=source, options=options, log=log)
    pairs = listed_pairs(source, source.members, log, is_meant) or {}
    if options.pair_numbers == "listed" and not pairs:
        raise Refused(
            "pair_numbers_absent",
            "No list of the upload pairs images and masks, as the option `pair_numbers: listed` says.",
            "Leave the option out, or add a pairs.csv with columns image and mask.",
        )
    return [(by_path[image], by_path[mask]) for image, mask in pairs.items()]


def _by_lists(
    listed: list[Couple],
    pictured: list[Picture],
    options: IngestOptions,
    inference: Inference,
    log: ProblemLog,
) -> FoundPairs:
    """The pairs that lists name, and those of other pictures that names tell."""
    images, masks, others = by_role(without(pictured, [one for couple in listed for one in couple]))
    matched = best_match(images, masks, inference.readings_with) if masks else Matched(images=images)
    found = _by_names(also(matched, listed), others, pictured, options, inference, log)
    return replace(found, origin="lists of the upload, which pair them")


def _by_rules(
    pictured: list[Picture], options: IngestOptions, inference: Inference, log: ProblemLog
) -> FoundPairs:
    """The pairs that names of folders and files tell; where these are few, those that the pictures tell."""
    whole, pictured = pictured, inference.considered(pictured)
    images, masks, others = by_role(pictured)
    others = [*others, *without(whole, pictured)]
    told_apart = several(images, masks)
    if told_apart is not None:
        by_path = {image.member.path: image for image in images}
        masks_of = renumbered_masks(told_apart.masks, by_path, options, inference.read, log)
        told_apart = replace(told_apart, masks=masks_of)
        sets = label_sets(told_apart, by_path, inference.read)
        if sets:
            couples = chosen(sets, pictured, inference.read, log)
            return FoundPairs(
                masks=_grouped(Matched(couples=couples)), origin="names: several sets of labels"
            )
        named = named_masks(told_apart, by_path, options, inference.read, log)
        own = [image for image in images if image.member.path in named]
        report_outside(others, log)
        bare = _unmasked(own, without(images, own), 0, options, log)
        found = [(image, ()) for image in (*own, *bare)]
        return FoundPairs(masks=found, named=named, origin="names: several masks of each image")
    matched = best_match(images, masks, inference.readings_with) if masks else Matched(images=images)
    matched = renumbered(completed(matched), images, masks, options, inference.read, log)
    paired = len(_grouped(matched))
    few = not images or len(images) > 2 * paired
    if few and not matched.rivals:
        again = respelled(images or others, masks, inference.look_right)
        if len(again) > max(paired, *map(len, matched.readings), 0):
            again = renumbered_joined(again, options, inference.read, log)
            return _by_respelling(again, images, masks, others, options, log)
    if few and not matched.rivals and not matched.readings:
        readings = inference.pairs(pictured)
        if readings and len(readings[0]) > paired and not inference.passes_over(masks, readings):
            return _by_looks(readings, pictured, options, inference, log)
    return _by_names(matched, others, pictured, options, inference, log)


def _by_looks(
    readings: list[list[Couple]],
    pictured: list[Picture],
    options: IngestOptions,
    inference: Inference,
    log: ProblemLog,
) -> FoundPairs:
    """The pairs of pictures that look like images and masks."""
    couples = chosen(readings, pictured, inference.read, log, several=options.several_masks)
    images = list({image.member.path: image for image, _ in couples}.values())
    if len(images) == len(couples):
        found = Matched(couples=couples)
        couples = renumbered(found, *sides(couples, pictured), options, inference.read, log).couples
    report_inferred(couples, log)
    left = without(pictured, [picture for couple in couples for picture in couple])
    more = numbered_alike(couples, left)
    left = without(left, [mask for _, mask in more])
    alone = inference.images_like(couples, left)
    elsewhere = inference.further_masks(images, alone, without(left, alone))
    if elsewhere and len(images) == len(couples):
        couples = chosen([couples, elsewhere], pictured, inference.read, log)
        left = without(left, [mask for _, mask in elsewhere])
    report_outside(without(left, alone), log)
    grouped = _grouped(Matched(couples=couples, more=more))
    bare = _unmasked([image for image, _ in grouped], alone, 0, options, log)
    masks = [*grouped, *((image, ()) for image in bare)]
    return FoundPairs(masks=masks, origin="what is in the pictures, and the words that their paths share")


def _by_respelling(
    couples: list[Couple],
    images: list[Picture],
    masks: list[Picture],
    others: list[Picture],
    options: IngestOptions,
    log: ProblemLog,
) -> FoundPairs:
    """The pairs whose names say the same in another spelling."""
    image, mask = couples[0]
    log.guess(f"{shown(mask.member.path)} is the mask of {shown(image.member.path)}, and others alike")
    taken = [picture for couple in couples for picture in couple]
    report_outside(without(others, taken), log)
    lone = without(masks, taken)
    bare = _unmasked([image for image, _ in couples], without(images, taken), len(lone), options, log)
    report_masks(len(couples), lone, log)
    found = [*((image, (mask,)) for image, mask in couples), *((image, ()) for image in bare)]
    return FoundPairs(masks=found, origin="names of folders and files, spelled in another way")


def _by_names(
    matched: Matched,
    others: list[Picture],
    pictured: list[Picture],
    options: IngestOptions,
    inference: Inference,
    log: ProblemLog,
) -> FoundPairs:
    """The pairs by names, unless other pictures may be the masks as well, or roles look turned."""
    matched = _settled(matched, pictured, inference.read, log)
    _report_rivals(matched, log)
    further = inference.readings_with(matched.images, others) if matched.images and others else []
    fits = len(further) == 1 and len(further[0]) > 1  # of a part of the set that has other names
    if fits and not crosses(further[0], [image for image, _ in matched.couples]):
        report_inferred(further[0], log)
        matched = also(matched, further[0])
        others = without(others, [mask for _, mask in further[0]])
    grouped = _grouped(matched)
    paired = [image for image, _ in grouped]
    beside, spare = derived(matched.images, paired), of_the_same(paired, matched.masks)
    matched = replace(matched, images=without(matched.images, beside), masks=without(matched.masks, spare))
    drawn = inference.drawn_among(matched.images, paired)
    matched = replace(matched, images=without(matched.images, drawn))
    others = [*others, *beside, *spare, *drawn]
    elsewhere = inference.other_masks(paired, others) if others else []
    if elsewhere:
        couples = chosen([matched.couples, elsewhere], pictured, inference.read, log)
        if couples is elsewhere:
            grouped = [(image, (mask,)) for image, mask in elsewhere]
        others = without(others, [mask for _, mask in elsewhere])
    report_outside(others, log)
    if inference.are_turned(matched.couples):
        couples = by_looks_or_names(matched.couples, pictured, inference.read, log)
        grouped = [(image, (mask,)) for image, mask in couples]
    elif inference.are_smooth(matched.couples):
        report_smooth(matched.couples, log)
    bare = _unmasked(paired, matched.images, len(matched.masks), options, log)
    report_masks(len(paired), matched.masks, log)
    return FoundPairs(masks=[*grouped, *((image, ()) for image in bare)], origin="names of folders and files")


def _of_all(matched: Matched, masks: int) -> Matched:
    """With the only one of several readings in which all the masks that the client names have an image."""
    whole = [pairs for pairs in matched.readings if len(pairs) == masks]
    return also(replace(matched, readings=[]), whole[0]) if len(whole) == 1 else matched


def _settled(matched: Matched, pictured: list[Picture], read: Read, log: ProblemLog) -> Matched:
    """With one of the readings that fit, where several do."""
    readings = matched.readings or by_rivals(matched)
    if not readings:
        return matched
    rivals = matched.rivals if matched.readings else []
    return also(replace(matched, readings=[], rivals=rivals), chosen(readings, pictured, read, log))


def _unmasked(
    paired: Sequence[Picture], alone: list[Picture], masks: int, options: IngestOptions, log: ProblemLog
) -> list[Picture]:
    """Those of the images without masks that are taken as background; tells of the others."""
    if not paired:
        report_no_pairs(alone, masks, log)
        return []
    return background_images(paired, alone, masks, options.unmasked, log)


def _report_rivals(matched: Matched, log: ProblemLog) -> None:
    for images, masks in matched.rivals:
        report_clash([picture.member for picture in (*images, *masks)], log)


def _grouped(matched: Matched) -> list[tuple[Picture, tuple[Picture, ...]]]:
    """Each image with all its masks, the one of its own name first."""
    masks: defaultdict[str, list[Picture]] = defaultdict(list)
    images: dict[str, Picture] = {}
    for image, mask in (*matched.couples, *matched.more):
        images.setdefault(image.member.path, image)
        masks[image.member.path].append(mask)
    return [(image, tuple(masks[path])) for path, image in images.items()]
