"""Reads boxes in Pascal VOC's XML, a file for each image, wherever these lie.

Format: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html, "Annotation". Corners are
pixels, counted from 1, and part of the object; where a file of the set has a corner below 1, or most have
one between pixels, all are taken as coordinates instead, as most tools write them. Of a turned box
(`robndbox`) the upright one around its corners is taken. Objects marked as
difficult count as crowds: VOC's own evaluation passes over them. Classes are the names in the order in which
they appear.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused, shown
from workers.ingest.regions.marked import Box, Marked, rectangle
from workers.ingest.regions.shapes import turned_box
from workers.ingest.text.safe_xml import xml_elements
from workers.ingest.text.sniff import any_has, mentions, sample
from workers.ingest.text.typed_json import image_size, number, text

_PAIRS = "each XML file by its image's name"
_CLASSES = "the names of the objects"
_ROOT = "annotation"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_TURNED = ("cx", "cy", "w", "h", "angle")
_TRIED = 8
_MEASURED = 20
_BELOW_ONE = re.compile(rb"<[xy]min>\s*(?:-|[+]?0*(?:\.\d*)?(?:[eE][+-]?\d+)?\s*<)")
_BETWEEN = re.compile(rb"<[xy](?:min|max)>\s*[+]?\d+\.\d*[1-9]")


class VocBoxes:
    """See `Format`."""

    name = "voc_boxes"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: XML files of annotations with boxes."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`: the first file of boxes, of a few."""
        return [one for one in sample(_xml(source), _TRIED) if _has_boxes(source, one)][:1]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: there are boxes alone."""
        return False

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        files = _xml(source)
        from_one = not (any_has(source, files, _BELOW_ONE) or _lie_between(source, files))
        if from_one:
            log.guess("boxes are pixels counted from 1, both corners in them, as VOC has it: none is below 1")
        reader = _Reader(SheetSet(source, options, log, _PAIRS), 1 if from_one else 0, options, log)
        for member in files:
            try:
                reader.add(source, member)
            except Refused as refusal:
                log.refused(member.path, refusal)
        return reader.found()


class _Reader:
    """Reads the files of an upload one by one; `first` is the number of an image's first pixel."""

    def __init__(self, sheets: SheetSet, first: int, options: IngestOptions, log: ProblemLog) -> None:
        self._sheets = sheets
        self._first = first
        self._difficult_is_crowd = options.crowd == "ignore"
        self._log = log
        self._labels = Labels()
        self._turned: list[str] = []
        self._angled: list[str] = []
        self._renamed: list[str] = []
        self._difficult = 0
        self._plain = 0

    def add(self, source: Source, member: Member) -> None:
        """Read a file; raises Refused where it is broken."""
        count = 0
        with source.open(member) as file:
            for element in xml_elements(file, (_ROOT,)):
                self._add(member, element)
                count += 1
        if not count:
            self._log.warning(
                "file_unread",
                member.path,
                "The file has no annotation of VOC; it is left out.",
                "Nothing, if it belongs to no image.",
            )

    def found(self) -> FoundSet | None:
        """See `Format.read`."""
        if self._turned:
            self._log.warning(
                "box_turned",
                self._turned[0].partition(": ")[0],
                f"{len(self._turned)} box(es) have their corners the other way round (xmin above xmax, or "
                "ymin above ymax); they are read from the lower to the higher.",
                "Nothing, if that is meant; else export the boxes anew.",
            )
        if self._angled:
            self._log.warning(
                "box_rotated",
                self._angled[0],
                f"{len(self._angled)} object(s) have a turned box (robndbox); the upright box around its "
                "corners is taken.",
                "Nothing, if that is meant; outlines of the objects would say more.",
            )
        if self._renamed:
            self._log.guess(
                f"{len(self._renamed)} XML files cite another image than that of their own name, which is "
                f"read, such as {self._renamed[0]}"
            )
        if self._difficult and not self._plain:
            self._log.warning(
                "only_crowds",
                None,
                f"All {self._difficult} objects are marked as difficult and thus not learnt.",
                "If they are objects, upload the set with crowd=label.",
            )
        found = self._sheets.result(self._labels, _CLASSES)
        return None if found is None else replace(found, kinds=("boxes",), ignore_value=None)

    def _add(self, member: Member, annotation: Element) -> None:
        sheet = Sheet()
        width, height = annotation.findtext("size/width"), annotation.findtext("size/height")
        if _is_stated(width) and _is_stated(height):
            sheet.size = image_size(width, height)
        for index, entry in enumerate(annotation.iter("object")):
            with sheet.part(f"object {index + 1}"):
                sheet.regions.append(self._object(member, entry))
        image = self._image(member, annotation)
        if image is None:
            name = (annotation.findtext("filename") or "").strip()
            self._sheets.missing(member.path, name or PurePosixPath(member.path).stem)
            return
        truth = self._sheets.truth(member.path, sheet)
        self._sheets.add(member.path, sheet, Located(image=image, truth=truth))

    def _image(self, member: Member, annotation: Element) -> Member | None:
        """The picture that has the file's own name, as in VOC, else the one that it cites: files are often
        renamed together with their images. Raises Refused."""
        own = self._sheets.referenced.find_stem(str(PurePosixPath(member.path).with_suffix("")), member.path)
        name = (annotation.findtext("filename") or "").strip()
        if own is None:
            folder = (annotation.findtext("folder") or "").strip()
            return (
                self._sheets.referenced.find(str(PurePosixPath(folder, name)), member.path) if name else None
            )
        if (
            name
            and PurePosixPath(name.replace("\\", "/")).stem.casefold()
            != PurePosixPath(own.path).stem.casefold()
        ):
            self._renamed.append(shown(member.path))
        return own

    def _object(self, member: Member, entry: Element) -> Marked:
        label = self._labels.value(text(entry.findtext("name"), "name"))
        difficult = (entry.findtext("difficult") or "").strip() == "1"
        self._difficult += difficult
        self._plain += not difficult
        crowd = difficult and self._difficult_is_crowd
        if entry.find("robndbox") is not None:
            self._angled.append(member.path)
            box = _turned(label, *(number(entry.findtext(f"robndbox/{side}"), side) for side in _TURNED))
            return Marked(region=box, label=label, crowd=crowd, box=box.box)
        x1, y1, x2, y2 = (number(entry.findtext(f"bndbox/{side}"), side) for side in _SIDES)
        if x1 > x2 or y1 > y2:
            self._turned.append(f"{member.path}: {x1:g} {y1:g} {x2:g} {y2:g}")
        left, right = sorted((x1, x2))
        top, bottom = sorted((y1, y2))
        box = rectangle(label, left - self._first, top - self._first, right, bottom)
        return Marked(region=box, label=label, crowd=crowd, box=box.box)


def _xml(source: Source) -> list[Member]:
    return [member for member in source.members if member.path.casefold().endswith(".xml")]


def _has_boxes(source: Source, member: Member) -> bool:
    words = (b"<annotation", b"<object>", b"bndbox>")
    return mentions(source, member, *words) and not mentions(source, member, b"<polygon>")


def _turned(label: int, cx: float, cy: float, width: float, height: float, angle: float) -> Box:
    """A box about its centre, turned from x towards y by radians, as roLabelImg writes it:
    https://github.com/cgvict/roLabelImg."""
    left, top = cx - width / 2, cy - height / 2
    return turned_box(label, (left, top, left + width, top + height), math.degrees(angle), (cx, cy))


def _lie_between(source: Source, files: Sequence[Member]) -> bool:
    """Whether most files have corners between pixels; a few of VOC's own do."""
    looked_at = sample(files, _MEASURED)
    return 2 * sum(any_has(source, [one], _BETWEEN) for one in looked_at) > len(looked_at)


def _is_stated(side: str | None) -> bool:
    """Whether a side of the image is there, and not 0, as tools write it that did not look."""
    return side is not None and side.strip() not in ("", "0", "0.0", "None")
