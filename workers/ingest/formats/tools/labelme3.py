"""Reads the XML of LabelMe's web tool (version 3): a file for each image, masks as pictures in `Masks/`.

Format: the LabelMe annotation tool, "XML annotation format". Objects marked as deleted are left out; parts
are objects like others. Classes are the names in the order in which they appear.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.image_lookup import CitedFiles
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.formats.annotations.part_of import PartOf
from workers.ingest.items import FoundSet, Source
from workers.ingest.pictures.decode import open_header
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.bitmaps import Budget, bad_bitmap, from_picture
from workers.ingest.regions.marked import Box
from workers.ingest.regions.masks import Bitmap, Polygon, Region
from workers.ingest.regions.polygons import ring
from workers.ingest.regions.shapes import not_a_region, stroke
from workers.ingest.text.safe_xml import xml_elements
from workers.ingest.text.sniff import largest, mentions
from workers.ingest.text.typed_json import image_size, number, points, text

_PAIRS = "each image by the folder and filename of its XML file"
_CLASSES = "the names of the objects"
_ROOT = "annotation"
_MASK_FOLDERS = frozenset(("masks", "scribbles"))
_BY_MASK = (b"<segm>", b"<mask>")
_DRAWN = ((b"<polygon>", b"<pt>"), _BY_MASK)
_BOX_TYPE = "bounding_box"


class LabelMe3:
    """See `Format`."""

    name = "labelme3"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: an XML file that has polygons of points, or masks, of an annotation."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`; with the pictures of masks where objects have such."""
        files = [member for member in largest(source, ".xml") if _has_objects(source, member)]
        has_masks = any(mentions(source, member, *_BY_MASK) for member in files)
        return files + [one for one in source.members if has_masks and _is_mask(one)]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: an object that is not marked as a box."""
        documents = [member for member in files if not _is_mask(member)]
        return any(_draws(source, member) for member in documents)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        images = PartOf(source, [member for member in source.members if not _is_mask(member)])
        reader = _Reader(source, SheetSet(images, options, log, _PAIRS))
        for member in source.members:
            if member.path.lower().endswith(".xml"):
                try:
                    if not reader.add(member):
                        _report_other(member, log)
                except Refused as refusal:
                    log.refused(member.path, refusal)
        return reader.found()


class _Reader:
    """Reads the files of an upload one by one."""

    def __init__(self, source: Source, sheets: SheetSet) -> None:
        self._source = source
        self._sheets = sheets
        self._labels = Labels()
        self._masks = CitedFiles(filter(_is_mask, source.members))

    def add(self, member: Member) -> bool:
        """Read a file; whether it has an annotation. Raises Refused where it is broken."""
        count = 0
        with self._source.open(member) as file:
            for element in xml_elements(file, (_ROOT,)):
                self._add(member, element)
                count += 1
        return count > 0

    def found(self) -> FoundSet | None:
        """See `Format.read`."""
        return self._sheets.result(self._labels, _CLASSES)

    def _add(self, member: Member, annotation: Element) -> None:
        name = text(annotation.findtext("filename"), "filename").strip()
        referenced = str(PurePosixPath((annotation.findtext("folder") or "").strip(), name))
        sheet = self._sheet(member, annotation)
        image = self._sheets.referenced.find(referenced, member.path)
        if image is None:
            self._sheets.missing(member.path, referenced)
            return
        truth = self._sheets.truth(member.path, sheet)
        located = Located(image=image, truth=truth)
        self._sheets.add(member.path, sheet, located)

    def _sheet(self, member: Member, annotation: Element) -> Sheet:
        sheet = Sheet()
        rows, columns = annotation.findtext("imagesize/nrows"), annotation.findtext("imagesize/ncols")
        if rows and columns:
            sheet.size = image_size(columns, rows)
        budget = Budget()
        for index, entry in enumerate(annotation.iter("object")):
            if (entry.findtext("deleted") or "").strip() == "1":
                continue
            with sheet.part(f"object {index + 1}"):
                sheet.regions.append(self._region(member, entry, sheet.size, budget))
        return sheet

    def _region(self, member: Member, entry: Element, size: tuple[int, int] | None, budget: Budget) -> Region:
        value = self._labels.value(text(entry.findtext("name"), "name"))
        polygon, mask = entry.find("polygon"), entry.findtext("segm/mask")
        if polygon is not None:
            is_box = (entry.findtext("type") or "").strip() == _BOX_TYPE
            return _polygon(value, polygon, Box if is_box else Polygon)
        if mask is not None:
            return self._mask(value, mask.strip(), member, size, budget)
        raise not_a_region("an object without polygon and mask", "polygon, segm")

    def _mask(
        self, value: int, name: str, citing: Member, size: tuple[int, int] | None, budget: Budget
    ) -> Bitmap:
        """A picture as large as the image."""
        member = self._masks.find(name, citing.path)
        if member is None:
            raise Refused(
                "mask_missing", f"The mask {name[:100]} is not in the upload.", "Add the folder Masks."
            )
        data = self._source.read(member)
        found = open_header(data).size
        if size is not None and found != size:
            raise bad_bitmap(f"it has {found[0]}x{found[1]} pixels, and its image {size[0]}x{size[1]}")
        return from_picture(value, data, 0, 0, budget)


def _polygon(value: int, polygon: Element, kind: type[Polygon]) -> Region:
    """The tool's lines and points are polygons of one or two corners."""
    pairs = [
        [number(point.findtext("x"), "x"), number(point.findtext("y"), "y")] for point in polygon.iter("pt")
    ]
    corners = points(pairs, "the points of a polygon")
    if len(np.unique(corners, axis=0)) < 3:
        return stroke(value, corners)
    return kind(value=value, rings=(ring(corners),))


def _has_objects(source: Source, member: Member) -> bool:
    return any(mentions(source, member, b"<annotation", *words) for words in _DRAWN)


def _draws(source: Source, member: Member) -> bool:
    """Whether the file has an object that is no box; where it cannot be read, reading it tells why."""
    try:
        with source.open(member) as file:
            return any(
                (entry.findtext("type") or "").strip() != _BOX_TYPE
                for annotation in xml_elements(file, (_ROOT,))
                for entry in annotation.iter("object")
            )
    except Refused:
        return True


def _is_mask(member: Member) -> bool:
    return any(part.casefold() in _MASK_FOLDERS for part in PurePosixPath(member.path).parts[:-1])


def _report_other(member: Member, log: ProblemLog) -> None:
    log.warning(
        "file_unread",
        member.path,
        "The file has no annotation of LabelMe; it is left out.",
        "Nothing, if it belongs to no image.",
    )
