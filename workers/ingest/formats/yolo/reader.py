"""Reads YOLO segmentation: a text file of polygons for each image, and a YAML file of class names.

Each line is a class number and x y pairs, fractions of the image's width and height. Labels lie in `labels/`
where images lie in `images/` (`train/images` and `images/train` alike), or beside the images. The folders say
which files belong together: the paths in the YAML are those of the machine that made it. Mask values are
class numbers plus 1; 0 is background, which is also an image without a file of labels.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath

from trainyard.datasets.record import BoxForm, IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.class_rules import MAX_CLASSES
from workers.ingest.formats.annotations.box_forms import LARGEST_FRACTION, BoxForms, BoxReading, sides
from workers.ingest.formats.annotations.class_values import BACKGROUND, class_values
from workers.ingest.formats.annotations.image_lookup import citable, pictures_of, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.formats.annotations.kinds import KindCounts, unpainted
from workers.ingest.formats.yolo.labels import (
    Box,
    Label,
    Outline,
    has_outline,
    have_confidences,
    have_key_points,
    is_label_text,
    parse_labels,
)
from workers.ingest.formats.yolo.names import class_names
from workers.ingest.formats.yolo.splits import yaml_splits
from workers.ingest.items import FoundSet, Source, Truth
from workers.ingest.paths.layout import PICTURES
from workers.ingest.pictures.decode import open_header
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.marked import Marked, rectangle
from workers.ingest.regions.masks import IGNORED, Polygon, Region
from workers.ingest.regions.truth import FractionsTruth, RegionsTruth
from workers.ingest.text.plain_yaml import read_yaml, yaml_members
from workers.ingest.text.sniff import sample
from workers.ingest.text.text_files import read_text

_TRIED = 20
_MEASURED = 200
"""Images whose size is looked at where boxes are in pixels."""
OWN_FORM: BoxForm = "cxcywh"
_PAIRS = "each image by the text file of its name, in labels/ for images/ or beside it"
_NO_LABELS = ("classes.txt", "readme.txt", "train.txt", "val.txt", "test.txt", "requirements.txt")


class YoloSeg:
    """See `Format`."""

    name = "yolo_seg"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: text files of class numbers and fractions."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        labels = [member for member in _labels_by_key(source).values() if member.size]
        return list(islice(_satisfying(source, labels[:_TRIED], is_label_text), 1))

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: a line that has more than a box."""
        if any(_satisfying(source, files, has_outline)):
            return True
        labels = [member for member in _labels_by_key(source).values() if member.size]
        return any(_satisfying(source, sample(labels), has_outline))

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        labels = _labels_by_key(source)
        pairs = list(_pairs(source, labels))
        parsed = _parsed(source, pairs, log)
        _report_alone(labels, pairs, log)
        usable = {image.path for image in citable(pictures_of(source.members), options)}
        pairs = [(image, file) for image, file in pairs if image.path in usable]
        if not pairs:
            return None
        try:
            used = {label.number for rows in parsed.values() for label in rows}
            names, origin = class_names(source, used, log)
            classes = class_values(sorted(names.items()), None, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None
        if log.has_errors:
            return None
        splits = yaml_splits(source, [image.path for image, _ in pairs])
        labelled = [(image, parsed[file.path] if file else []) for image, file in pairs]
        reading = _box_reading(labelled, source, options, log)
        counts = KindCounts()
        found = []
        for (image, file), (_, rows) in zip(pairs, labelled, strict=True):
            regions = tuple(_region(label, classes.value_of[label.number], reading.form) for label in rows)
            counts.count(regions)
            path = file.path if file else image.path
            truth: Truth = FractionsTruth(file=path, regions=regions, order=options.order)
            if reading.units == "pixels":
                truth = RegionsTruth(file=path, size=None, background=0, regions=regions, order=options.order)
            found.append(Located(image=image, split=splits.get(image.path), truth=truth))
        _report_boxes(parsed, counts, log)
        kinds = counts.kinds(("boxes",))
        if len(classes.names) > MAX_CLASSES:
            kinds = unpainted(kinds, len(classes.names), log)
        return FoundSet(
            items=named_items(found),
            kinds=kinds,
            names=classes.names,
            ignore_value=IGNORED if counts.boxes else None,
            pairs=_PAIRS,
            classes=origin,
        )


def _satisfying(source: Source, members: Iterable[Member], test: Callable[[str], bool]) -> Iterator[Member]:
    """Of the text files, those that can be read and whose text passes the test."""
    for member in members:
        try:
            if test(read_text(source, member)):
                yield member
        except Refused:
            continue


def _labels_by_key(source: Source) -> dict[str, Member]:
    """The text files that may be labels, by the path that their image would have in `labels/`."""
    texts = [
        member
        for member in source.members
        if member.path.casefold().endswith(".txt")
        and PurePosixPath(member.path).name.casefold() not in _NO_LABELS
    ]
    images = {_key(member) for member in source.members if _is_picture(member)} if texts else set()
    return {
        key: member
        for member in texts
        if ((key := _key(member)) in images or "labels" in PurePosixPath(key).parts[:-1])
    }


def _key(member: Member) -> str:
    """The path without ending, the innermost folder `images` named `labels`."""
    path = PurePosixPath(member.path).with_suffix("")
    parts = [part.casefold() for part in path.parts[:-1]]
    for depth in reversed(range(len(parts))):
        if parts[depth] in ("images", "labels"):
            parts[depth] = "labels"
            break
    return str(PurePosixPath(*parts, path.name.casefold()))


def _is_picture(member: Member) -> bool:
    return PurePosixPath(member.path).suffix.casefold() in PICTURES


def _pairs(source: Source, labels: dict[str, Member]) -> Iterator[tuple[Member, Member | None]]:
    """Each image of a folder that has labels, with its labels."""
    folders = {str(PurePosixPath(key).parent) for key in labels}
    for member in source.members:
        key = _key(member)
        if _is_picture(member) and str(PurePosixPath(key).parent) in folders:
            yield member, labels.get(key)


def _parsed(
    source: Source, pairs: list[tuple[Member, Member | None]], log: ProblemLog
) -> dict[str, list[Label]]:
    """The labels of each file of an image, by the file's path."""
    parsed: dict[str, list[Label]] = {}
    files = [file for _, file in pairs if file is not None]
    key_points = _have_key_points(source, files, log)
    confident = []
    for file in files:
        try:
            text = read_text(source, file)
            parsed[file.path] = parse_labels(text, has_key_points=key_points)
        except Refused as refusal:
            log.refused(file.path, refusal)
            continue
        if not key_points and have_confidences(text):
            confident.append(file.path)
    if confident:
        log.warning(
            "confidence_left_out",
            confident[0],
            f"Objects of {len(confident)} file(s) such as this one have a confidence, which is left out.",
            "Nothing, if people have looked at them; a detector writes it, whose errors are then learned.",
        )
    return parsed


def _have_key_points(source: Source, files: Sequence[Member], log: ProblemLog) -> bool:
    """Whether lines have key points behind boxes, as a YAML file or they themselves say; it is told then."""
    some = sample([file for file in files if file.size])
    told = any("kpt_shape" in _yaml_of(source, member) for member in yaml_members(source))
    found = [text for file in some if (text := _text_of(source, file)) is not None]
    if not found or not (told or have_key_points(found)):
        return False
    log.warning(
        "key_points_left_out",
        some[0].path,
        "Lines such as those of this file have a box, and key points within it; the boxes are read.",
        "Nothing, if that is meant; no task is trained on key points.",
    )
    return True


def _yaml_of(source: Source, member: Member) -> dict[object, object]:
    try:
        return read_yaml(source, member)
    except Refused:
        return {}  # the reader of the names reports it


def _text_of(source: Source, file: Member) -> str | None:
    try:
        return read_text(source, file)
    except Refused:
        return None  # told where it is read


def _box_reading(
    labelled: Sequence[tuple[Member, Sequence[Label]]],
    source: Source,
    options: IngestOptions,
    log: ProblemLog,
) -> BoxReading:
    """How lines of four numbers are read."""
    forms = BoxForms(OWN_FORM, "fractions")
    boxes = [(image, [one for one in labels if isinstance(one, Box)]) for image, labels in labelled]
    boxed = [(image, own) for image, own in boxes if own]
    are_pixels = any(max(one.numbers) > LARGEST_FRACTION for _, own in boxed for one in own)
    measured = {image.path for image, _ in sample(boxed, _MEASURED)} if are_pixels else set()
    for image, own in boxed:
        size = _size(source, image) if image.path in measured else None
        for one in own:
            forms.add(one.numbers, size, image.path, None, None)
    images = {image.path: image for image, _ in boxed}
    return forms.settled(options, next(iter(images), ""), images.get, source.read, log)


def _size(source: Source, image: Member) -> tuple[int, int] | None:
    try:
        return open_header(source.read(image)).size
    except Refused:
        return None  # reading the set tells why


def _region(label: Label, value: int, form: BoxForm) -> Region:
    """An object in the units of its line; the pixels of one that has a box alone are not known."""
    if isinstance(label, Outline):
        return Polygon(value=value, rings=(label.ring,))
    box = sides(form, label.numbers)
    return Marked(region=rectangle(IGNORED, *box), label=value, crowd=False, box=box)


def _report_boxes(parsed: Mapping[str, Sequence[Label]], counts: KindCounts, log: ProblemLog) -> None:
    """Tell of objects of which it is not known which pixels they have, where others are outlined."""
    boxes = [path for path, rows in parsed.items() for label in rows if isinstance(label, Box)]
    if boxes and counts.outlined:
        log.warning(
            "masks_missing",
            boxes[0],
            f"{len(boxes)} of {counts.outlined + counts.boxes} objects have a box and no polygon; the pixels "
            "in these boxes are ignored.",
            "Export for instance segmentation, not for object detection.",
        )


def _report_alone(
    labels: dict[str, Member], pairs: list[tuple[Member, Member | None]], log: ProblemLog
) -> None:
    used = {file.path for _, file in pairs if file}
    lost = [member.path for member in labels.values() if member.path not in used]
    report_missing([(path, PurePosixPath(path).stem) for path in lost], len(used), log)
    bare = [image.path for image, file in pairs if file is None]
    if bare:
        log.warning(
            "image_without_labels",
            bare[0],
            f"{len(bare)} of {len(pairs)} images have no file of labels and are taken as {BACKGROUND}.",
            "Nothing, if that is meant; else add their labels, or take the images out.",
        )
    if not pairs and not log.has_errors:
        log.error(
            "no_pairs", None, "No image has labels.", "Put images in images/ and their labels in labels/."
        )
