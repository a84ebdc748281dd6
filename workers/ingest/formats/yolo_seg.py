"""Reads YOLO segmentation: a text file of polygons for each image, and a YAML file of class names.

Each line is a class number and x y pairs, fractions of the image's width and height. Labels lie in `labels/`
where images lie in `images/` (`train/images` and `images/train` alike), or beside the images. The folders say
which files belong together: the paths in the YAML are those of the machine that made it. Mask values are
class numbers plus 1; 0 is background, which is also an image without a file of labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.decode import DecodedImage
from workers.ingest.formats.base import FoundSet, Read, Source
from workers.ingest.formats.cited import report_missing
from workers.ingest.formats.class_values import BACKGROUND, class_values
from workers.ingest.formats.items import Located, named_items
from workers.ingest.formats.regions import Order, Polygon, RegionsTruth
from workers.ingest.formats.text_files import read_text
from workers.ingest.formats.yolo_labels import Label, is_label_text, parse_labels
from workers.ingest.formats.yolo_names import class_names
from workers.ingest.formats.yolo_splits import yaml_splits
from workers.ingest.layout import PICTURES
from workers.ingest.problems import ProblemLog, Refused
from workers.prepared import Uint8

_TRIED = 20
_NO_LABELS = ("classes.txt", "readme.txt", "train.txt", "val.txt", "test.txt", "requirements.txt")


@dataclass(frozen=True, kw_only=True)
class FractionsTruth:
    """Polygons whose coordinates are fractions of the image as displayed."""

    file: str
    polygons: tuple[Polygon, ...]
    order: Order

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`."""
        scaled = [
            Polygon(value=polygon.value, rings=tuple(ring * image.size for ring in polygon.rings))
            for polygon in self.polygons
        ]
        truth = RegionsTruth(file=self.file, size=None, background=0, regions=scaled, order=self.order)
        return truth.paint(read, image)


class YoloSeg:
    """See `Format`."""

    name = "yolo_seg"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: text files of class numbers and fractions."""
        tried = 0
        for member in _labels_by_key(source).values():
            if member.size and tried < _TRIED:
                tried += 1
                try:
                    if is_label_text(read_text(source, member)):
                        return True
                except Refused:
                    continue
        return False

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        labels = _labels_by_key(source)
        pairs = list(_pairs(source, labels))
        parsed = _parsed(source, labels, pairs, log)
        _report_alone(labels, pairs, log)
        if not pairs:
            return None
        try:
            names = class_names(source, {label.number for rows in parsed.values() for label in rows}, log)
            classes = class_values(sorted(names.items()), None, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None
        if log.has_errors:
            return None
        splits = yaml_splits(source, [image.path for image, _ in pairs])
        found = [
            Located(
                image=image,
                split=splits.get(image.path),
                truth=FractionsTruth(
                    file=file.path if file else image.path,
                    polygons=tuple(
                        Polygon(value=classes.value_of[label.number], rings=(label.ring,))
                        for label in (parsed[file.path] if file else ())
                    ),
                    order=options.order,
                ),
            )
            for image, file in pairs
        ]
        return FoundSet(items=named_items(found), names=classes.names)


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
    source: Source,
    labels: dict[str, Member],
    pairs: list[tuple[Member, Member | None]],
    log: ProblemLog,
) -> dict[str, list[Label]]:
    """The labels of each file of an image, by the file's path."""
    parsed: dict[str, list[Label]] = {}
    for _, file in pairs:
        if file is not None:
            try:
                parsed[file.path] = parse_labels(read_text(source, file))
            except Refused as refusal:
                log.refused(file.path, refusal)
    return parsed


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
