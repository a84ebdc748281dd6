"""Chooses what to read of an upload that has annotations of several formats, and says what is left out.

What outlines objects goes before boxes, which are read where nothing does. Of formats that say where the same
objects are, of the same images and classes, the first in the order of FORMATS is read: an annotation before
the masks that were drawn from it, with a warning where these lie elsewhere. Where they differ in images or
classes, it is asked which is meant.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.class_values import BACKGROUND_NAMES
from workers.ingest.formats.catalogue import FORMATS, Recognised, format_named, recognised, without
from workers.ingest.formats.folders.patterns import read_as
from workers.ingest.formats.labels_or_boxes import labels_beside
from workers.ingest.formats.left_out import report_boxes, report_outlines
from workers.ingest.formats.mask_agreement import Agreement, agreement
from workers.ingest.items import Annotations, Format, FoundSet, LabelFormat, LabelledSet, Source
from workers.ingest.labels.choice import label_format, label_formats, may_have_labels, read_labels
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pairing.choice.mask_choice import CODE as MASKS_AMBIGUOUS
from workers.ingest.pairing.pairs import Pair, pair
from workers.ingest.paths.layout import by_role, pictures
from workers.ingest.problems import Offer, ProblemLog, Refused
from workers.ingest.question_previews import Example, item_preview, preview

_PICTURES = Recognised(form=FORMATS[-1])

_OF_MASKS = frozenset(("coco_panoptic", "mapillary", "cityscapes", "kitti", "camvid", "voc", "pictures"))
"""Formats of mask pictures: where one is there, its masks are not those of another."""


ReadSet = tuple[Format, FoundSet | None] | tuple[LabelFormat, LabelledSet | None]


def read_set(source: Source, options: IngestOptions, log: ProblemLog) -> ReadSet:
    """The format that is read, and the set; None, errors logged, where it cannot be used.

    Labels of images are read where there are no masks. Raises Refused for a format that there is not.
    """
    if options.reader is not None:
        of_labels = label_format(options.reader)
        if of_labels is not None:
            return of_labels, of_labels.read(source, options, log)
        form = format_named(options.reader)
        return form, read_as(form, source, options, log)
    formats = recognised(source)
    outlining = [one for one in formats if _outlines(one, source)]
    boxes = [one for one in formats if one not in outlining]
    if not outlining and may_have_labels(options):
        labels = label_formats(source, has_annotations=bool(formats))
        labels = labels or labels_beside(boxes, source, options, log)
        if labels and not _has_masks(source, options):
            return read_labels(labels, source, options, log)
    if not outlining and boxes and not _has_masks(source, options):
        outlining, boxes = boxes, []
    elif _may_be_pictures(outlining, source):
        outlining.append(_PICTURES)
    form, found = _read_first(outlining, without(source, _files(boxes)), options, log)
    if found is not None:
        report_boxes(form, found, outlining, boxes, source, log)
    return form, found


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What one of several formats says: the images that it outlines, and its classes where it names them.

    `file` is one of its files, or masks, and `masks` are those of images, if it has one picture for each.
    """

    format: Recognised
    file: str
    images: Sequence[Member]
    classes: frozenset[str] | None
    draw: Callable[[], bytes]
    masks: Mapping[str, Member] = field(default_factory=dict)

    def says_as(self, other: "_Reading") -> bool:
        """Whether both outline the same images, whatever folders they lie in, as the same classes."""
        same_classes = None in (self.classes, other.classes) or self.classes == other.classes
        return same_classes and self._stems() == other._stems()

    def _stems(self) -> Counter[str]:
        return Counter(_stem(image) for image in self.images)


def _read_first(
    outlining: Sequence[Recognised], source: Source, options: IngestOptions, log: ProblemLog
) -> tuple[Format, FoundSet | None]:
    """Read the first format, unless others outline something else and the client means one of these."""
    first, *others = outlining
    own = ProblemLog(options.on_question)
    found = read_as(first.form, without(source, _files(others)), options, own)
    rivals = [one for one in (_rival(other, outlining, source, options) for other in others) if one]
    if found is not None and found.items:
        reading = _reading(first, found, own, source)
        agreements = [_agreement(found, rival, source) for rival in rivals]
        if not all(_may_be_left_out(reading, *rival) for rival in zip(rivals, agreements, strict=True)):
            chosen = _asked([reading, *rivals], log)
            if chosen is not first:
                rest = without(source, _files([one for one in outlining if one is not chosen]))
                return chosen.form, read_as(chosen.form, rest, options, log)
        _warn_of_masks_elsewhere(first, rivals, agreements, log)
    log.adopt(own)
    for rival in rivals:
        report_outlines(first, rival.format, rival.file, len(rival.images), log)
    return first.form, found


def _warn_of_masks_elsewhere(
    first: Recognised, rivals: Sequence[_Reading], agreements: Sequence[Agreement], log: ProblemLog
) -> None:
    for rival, seen in zip(rivals, agreements, strict=True):
        if seen == "elsewhere":
            log.warning(
                "masks_elsewhere",
                rival.file,
                f"What masks such as this one show lies elsewhere than what the annotations outline; the "
                f"format {first.form.name} is read.",
                f"See which of the two is right; `format: {rival.format.form.name}` reads the masks.",
            )


def _asked(readings: Sequence[_Reading], log: ProblemLog) -> Recognised:
    """The format that is meant: the one that outlines most images, if nobody says otherwise."""
    ordered = sorted(readings, key=lambda one: -len(one.images))
    key = log.ask(
        "format",
        "The upload has annotations of several formats, which outline different images, classes or pixels: "
        f"{'; '.join(_summary(one) for one in readings)}. Which are to be read?",
        [
            Offer(
                key=one.format.form.name,
                text=_summary(one),
                count=len(one.images),
                options={"format": one.format.form.name},
                examples=[image.path for image in one.images],
                draw=one.draw,
            )
            for one in ordered
        ],
    )
    return next(one.format for one in readings if one.format.form.name == key)


def _summary(reading: _Reading) -> str:
    name = reading.format.form.name
    classes = "" if reading.classes is None else f" and {len(reading.classes)} classes"
    return f"{name} with {len(reading.images)} images{classes}"


def _rival(
    one: Recognised, outlining: Sequence[Recognised], source: Source, options: IngestOptions
) -> _Reading | None:
    """What another format says; None where it cannot be read."""
    rest = without(source, _files([other for other in outlining if other is not one]))
    if one is _PICTURES:
        pairs = _mask_pairs(rest, options)
        examples = [Example(image=each.image, masks=each.masks, joined=True) for each in pairs]
        draw = preview(source.read, examples)
        images = [each.image for each in pairs]
        mask = pairs[0].masks[0].path if pairs else ""
        masks = {_stem(each.image): each.masks[0] for each in pairs if len(each.masks) == 1}
        shown = _Reading(format=one, file=mask, images=images, classes=None, draw=draw, masks=masks)
        return shown if pairs else None
    log = ProblemLog("assume")
    found = read_as(one.form, rest, options, log)
    return _reading(one, found, log, source) if found is not None and found.items else None


def _reading(one: Recognised, found: FoundSet, log: ProblemLog, source: Source) -> _Reading:
    unnamed = found.names is None or any(each.code == "class_names_missing" for each in log.problems())
    names = {name.casefold() for name in (found.names or {}).values()}
    return _Reading(
        format=one,
        file=one.files[0].path if one.files else found.items[0].truth.file,
        images=[item.image for item in found.items],
        classes=None if unnamed else frozenset(names - BACKGROUND_NAMES),
        draw=item_preview(source.read, found.items),
        masks={_stem(i.image): i.truth.member for i in found.items if isinstance(i.truth, MaskTruth)},
    )


def _may_be_left_out(reading: _Reading, rival: _Reading, seen: Agreement) -> bool:
    """Whether no one need be asked: masks in a folder yield to what outlines objects, wherever they lie."""
    is_of_pictures = rival.format is _PICTURES
    return reading.says_as(rival) and (seen == "same" or (seen == "elsewhere" and is_of_pictures))


def _agreement(found: FoundSet, rival: _Reading, source: Source) -> Agreement:
    return agreement(found.items, rival.masks, source.read) if rival.masks else "same"


def _stem(image: Member) -> str:
    return PurePosixPath(image.path).stem.casefold()


def _outlines(one: Recognised, source: Source) -> bool:
    return not isinstance(one.form, Annotations) or one.form.outlines(source, one.files)


def _may_be_pictures(outlining: Sequence[Recognised], source: Source) -> bool:
    """Whether pictures that are masks are there beside what these formats read, by folders and names."""
    if not outlining or any(one.form.name in _OF_MASKS for one in outlining):
        return not outlining
    images, masks, _ = by_role(pictures(without(source, _files(outlining)).members))
    return bool(images and masks)


def _has_masks(source: Source, options: IngestOptions) -> bool:
    """Whether images have masks which are pictures, or several pictures that may be those."""
    try:
        found = pair(source, options, ProblemLog("assume")).pairs
        return any(one.masks or one.class_masks for one in found)
    except Refused as refusal:
        return refusal.problem_code == MASKS_AMBIGUOUS


def _mask_pairs(source: Source, options: IngestOptions) -> list[Pair]:
    """The images that have masks which are pictures."""
    try:
        return [one for one in pair(source, options, ProblemLog("assume")).pairs if one.masks]
    except Refused:
        return []


def _files(formats: Sequence[Recognised]) -> list[Member]:
    return [file for one in formats for file in one.files]
