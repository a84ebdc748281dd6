"""Asks what several masks of each image are: parts of one class, classes, or the work of annotators."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations

from workers.ingest.items import Read
from workers.ingest.pairing.mask_labels import Masks
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.patterns import pattern_of
from workers.ingest.pictures.mask_files import decode_mask
from workers.ingest.problems import Offer, ProblemLog, Refused
from workers.ingest.question_previews import Example, preview

CODE = "several_masks"
_MOST_ANNOTATORS = 6
_LOOKED_AT = 4
"""Images whose masks are compared."""
_SAME = 0.6
"""Intersection over union of two masks from which on they may show one thing, drawn twice."""


def show_the_same(found: Masks, read: Read) -> bool:
    """Whether the masks of two labels show nearly the same in each of a few images that have both, as those
    of several annotators do, and those of classes do not."""
    several = [{one.label: one.mask.member for one in own} for own in found.values() if len(own) > 1]
    if sum(map(len, several)) < 2 * _LOOKED_AT or max(map(len, several)) > _MOST_ANNOTATORS:
        return False
    alike: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for own in several[:: max(1, len(several) // _LOOKED_AT)][:_LOOKED_AT]:
        try:
            inside = {label: decode_mask(read(member)) > 0 for label, member in own.items()}
        except Refused:
            return False  # it is told with its file when the set is read
        for one, other in combinations(sorted(inside), 2):
            a, b = inside[one], inside[other]
            if a.shape != b.shape:
                return False
            union = int((a | b).sum())
            alike[one, other].append(union > 0 and int((a & b).sum()) >= _SAME * union)
    return any(len(each) > 1 and all(each) for each in alike.values())


def asked_for_annotators(found: Masks, images: Mapping[str, Picture], read: Read, log: ProblemLog) -> bool:
    """Masks of different labels show nearly the same: those of one annotator may be meant, or classes that
    overlap. Whether they are classes."""
    alone = _each_alone(found, images, read)
    if not alone:
        return asked_for_classes(found, images, read, log)
    first = next(iter(found.values()))
    listed = " and ".join(one.mask.member.path for one in first[:2])
    text = f"Masks such as {listed} show nearly the same, as those of several annotators do."
    offers = [*alone, *_union_and_classes(found, images, read)]
    return log.ask(CODE, text, offers) == "classes"


def asked_for_classes(found: Masks, images: Mapping[str, Picture], read: Read, log: ProblemLog) -> bool:
    """Masks of each image are told apart by numbers: of objects, classes, or annotators. Whether they are
    classes."""
    sizes = sorted({len(labelled) for labelled in found.values()})
    count = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    text = f"Each of {len(found)} images has {count} masks that numbers or letters tell apart, such as "
    listed = " and ".join(one.mask.member.path for one in max(found.values(), key=len)[:2])
    offers = [*_union_and_classes(found, images, read), *_each_alone(found, images, read)]
    return log.ask(CODE, f"{text}{listed}.", offers) == "classes"


def _union_and_classes(found: Masks, images: Mapping[str, Picture], read: Read) -> list[Offer]:
    examples = [
        Example(image=images[path].member, masks=[one.mask.member for one in labelled])
        for path, labelled in found.items()
    ]
    joined = [Example(image=one.image, masks=one.masks, joined=True) for one in examples]
    first = [one.mask.member.path for one in max(found.values(), key=len)]
    return [
        Offer(
            key=key,
            text=text,
            count=len(found),
            options={"several_masks": key},
            examples=first,
            draw=preview(read, shapes),
        )
        for key, text, shapes in (
            ("union", "they show parts of one class", joined),
            ("classes", "each shows a class of its own", examples),
        )
    ]


def _each_alone(found: Masks, images: Mapping[str, Picture], read: Read) -> list[Offer]:
    """That the masks of one label count alone, as those of one of several annotators: where all images have
    the same few labels, and patterns tell them apart."""
    labels = [{one.label for one in labelled} for labelled in found.values()]
    if any(own != labels[0] for own in labels) or len(labels[0]) > _MOST_ANNOTATORS:
        return []
    masks_of = {
        label: {path: one.mask.member for path, own in found.items() for one in own if one.label == label}
        for label in sorted(labels[0])
    }
    everything = [*images, *(member.path for masks in masks_of.values() for member in masks.values())]
    image_pattern = pattern_of(list(images), everything)
    offers = []
    for number, masks in enumerate(masks_of.values(), start=1):
        pattern = pattern_of([member.path for member in masks.values()], everything)
        if pattern is None or image_pattern is None:
            return []
        shapes = [Example(image=images[path].member, masks=[member]) for path, member in masks.items()]
        offers.append(
            Offer(
                key=f"masks_{number}",
                text=f"the masks are {pattern} alone, as of one of several annotators",
                count=len(masks),
                options={"masks": pattern, "images": image_pattern},
                examples=[member.path for member in masks.values()],
                draw=preview(read, shapes),
            )
        )
    return offers
