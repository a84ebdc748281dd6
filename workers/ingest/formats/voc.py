"""Reads Pascal VOC segmentation: `JPEGImages/`, `SegmentationClass/`, lists in `ImageSets/Segmentation/`.

Masks are palette pictures of class indices, 255 being void; where labelmap.txt gives colours, or they
are RGB, they are read by colour instead. Only images with a mask belong to the set.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.decode import open_header
from workers.ingest.formats.base import Color, FoundSet, Source
from workers.ingest.formats.cited import CitedFiles, report_missing
from workers.ingest.formats.items import Located, named_items
from workers.ingest.formats.regions import IGNORED
from workers.ingest.formats.text_files import text_of
from workers.ingest.formats.voc_labels import CLASSES, labelmap, palette_color
from workers.ingest.mask_truth import MaskTruth
from workers.ingest.problems import ProblemLog, Refused

_MASKS = "segmentationclass"
_NAME_FILES = ("class_names.txt", "labels.txt", "classes.txt")
_IGNORE_LINE = "__ignore__"  # LabelMe writes it before the name of value 0


class Voc:
    """See `Format`."""

    name = "voc"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a folder SegmentationClass, or boxes in VOC's XML and no such folder."""
        return bool(_masks(source)) or bool(_boxes(source))

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        masks = _masks(source)
        if not masks:
            log.error(
                "masks_missing",
                next(iter(_boxes(source)), None),
                "There is no folder SegmentationClass with masks; Annotations/*.xml have boxes only.",
                "Add the masks: semantic segmentation, not object detection.",
            )
            return None
        try:
            names, table = _classes(source, masks)
        except Refused as refusal:
            log.refused(_labelmap_path(source), refusal)
            return None
        splits = _splits(source, masks, log)
        cited = CitedFiles(member for member in source.members if not _is_segmentation(member))
        found = list(_located(masks, splits, table, cited, log))
        if log.has_errors:
            return None
        unused = {one.image.path for one in found}
        cited.report_unlisted(unused, log)
        colors = (
            {value: color for color, value in table.items() if value != IGNORED}
            if table
            else {value: palette_color(value) for value in names or ()}
        )
        return FoundSet(items=named_items(found), names=names, colors=colors, ignore_value=IGNORED)


def _located(
    masks: Iterable[Member],
    splits: dict[str, str],
    table: dict[Color, int] | None,
    cited: CitedFiles,
    log: ProblemLog,
) -> Iterable[Located]:
    lost = []
    kept = 0
    for mask in masks:
        path = PurePosixPath(mask.path)
        place = str(path.parent.parent / "JPEGImages" / path.name)
        try:
            image = cited.find_stem(path.stem, place)
        except Refused as refusal:
            log.refused(mask.path, refusal)
            continue
        if image is None:
            lost.append(mask)
            continue
        kept += 1
        yield Located(image=image, split=splits.get(path.stem), truth=MaskTruth(member=mask, table=table))
    report_missing([(mask.path, PurePosixPath(mask.path).stem) for mask in lost], kept, log)


def _is_segmentation(member: Member) -> bool:
    return any(part.casefold().startswith("segmentation") for part in PurePosixPath(member.path).parts[:-1])


def _masks(source: Source) -> list[Member]:
    return [
        member
        for member in source.members
        if member.folder == _MASKS
        and member.path.casefold().endswith((".png", ".gif", ".bmp", ".tif", ".tiff"))
    ]


def _boxes(source: Source) -> list[str]:
    """The first of the XML files in Annotations/ where it is VOC's, without polygons as LabelMe's has."""
    for member in source.members:
        if member.folder == "annotations" and member.path.casefold().endswith(".xml"):
            try:
                data = source.read(member)
            except Refused:
                return []
            return [member.path] if b"<bndbox>" in data and b"<polygon>" not in data else []
    return []


def _labelmap_path(source: Source) -> str | None:
    return next((m.path for m in source.members if PurePosixPath(m.path).name == "labelmap.txt"), None)


def _classes(source: Source, masks: list[Member]) -> tuple[dict[int, str] | None, dict[Color, int] | None]:
    """Names by value, and the value of each colour where masks are to be read by colour. Raises Refused."""
    text = text_of(source, "labelmap.txt")
    if text is not None:
        return labelmap(text)
    header = open_header(source.read(masks[0]))
    names = _names(source)
    if header.mode in ("RGB", "RGBA"):
        known = names or dict(enumerate(CLASSES))
        return known, {palette_color(value): value for value in (*known, IGNORED)}
    palette = header.getpalette() if header.mode == "P" else None
    if names is None and palette and _is_voc(palette):
        return dict(enumerate(CLASSES)), None
    return names, None


def _names(source: Source) -> dict[int, str] | None:
    """What a list of names beside the folders says, one a line from value 0."""
    for name in _NAME_FILES:
        text = text_of(source, name)
        if text is not None:
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            names = lines[1:] if lines[:1] == [_IGNORE_LINE] else lines
            return dict(enumerate(names[:IGNORED])) or None
    return None


def _is_voc(palette: list[int]) -> bool:
    """Whether the colours of VOC's classes are those of the palette, flat RGB."""
    expected = [part for value in range(len(CLASSES)) for part in palette_color(value)]
    return palette[: len(expected)] == expected


def _splits(source: Source, masks: list[Member], log: ProblemLog) -> dict[str, str]:
    """The split of each mask's stem, as the lists in ImageSets/Segmentation say."""
    splits: dict[str, str] = {}
    stems = {PurePosixPath(mask.path).stem for mask in masks}
    for split in ("train", "val", "test"):
        text = text_of(source, f"ImageSets/Segmentation/{split}.txt")
        listed = [line.split()[0] for line in (text or "").splitlines() if line.strip()]
        absent = [name for name in listed if name not in stems]
        if absent:
            log.warning(
                "listed_without_mask",
                f"ImageSets/Segmentation/{split}.txt",
                f"{len(absent)} of {len(listed)} listed images have no mask: {', '.join(absent[:5])}.",
                "Add the masks to SegmentationClass, or take the names off the list.",
            )
        splits |= {name: split for name in listed if name in stems and name not in splits}
    return splits
