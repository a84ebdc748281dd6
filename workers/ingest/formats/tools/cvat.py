"""Reads "CVAT for images 1.1": XML files, each with the shapes of many images.

Format: docs.cvat.ai, "CVAT for images". Classes are the labels of <meta>, else those of the shapes in the
order in which they appear. With the order `file`, shapes are rasterized by z_order and then as listed.
Shapes of one label in one group are one object, as in CVAT's own COCO export.
"""

import re
from collections.abc import Callable, Sequence
from typing import BinaryIO
from xml.etree.ElementTree import Element

import numpy as np

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.bitmaps import Budget, from_runs
from workers.ingest.regions.marked import Groups
from workers.ingest.regions.masks import Bitmap, Ellipse, Polygon, Region, Stroke
from workers.ingest.regions.polygons import Ring, ring
from workers.ingest.regions.shapes import not_a_region, stroke, turned_box
from workers.ingest.text.safe_xml import xml_elements
from workers.ingest.text.sniff import any_has, largest, mentions
from workers.ingest.text.typed_json import broken, image_size, number, points, text

_PAIRS = "each image by its name in the XML file"
_CLASSES = "the labels of the XML file"
_OUTLINE = re.compile(rb"<(?:polygon|mask|ellipse|track)[\s>]")
_NOT_SHAPES = ("tag", "attribute")  # of whole images: nothing to draw


class Cvat:
    """See `Format`."""

    name = "cvat"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: an XML file that has annotations with images or tracks."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        return [member for member in largest(source, ".xml") if _is_cvat(source, member)]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: polygons, masks or ellipses; tracks are refused as such."""
        return any_has(source, files, _OUTLINE)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        project = _Project(SheetSet(source, options, log, _PAIRS), log)
        for member in _xml(source):
            try:
                if _is_cvat(source, member):
                    with source.open(member) as file:
                        project.add(member, file)
                else:
                    _report_other(member, log)
            except Refused as refusal:
                log.refused(member.path, refusal)
        return project.found()


class _Project:
    """What the XML files say together."""

    def __init__(self, sheets: SheetSet, log: ProblemLog) -> None:
        self._sheets = sheets
        self._log = log
        self._labels = Labels()
        self._layered: str | None = None

    def add(self, member: Member, file: BinaryIO) -> None:
        """Read a file; raises Refused where it is broken."""
        for element in xml_elements(file, ("meta", "image", "track")):
            if element.tag == "track":
                raise _video()
            if element.tag == "meta":
                self._add_labels(element)
            else:
                self._add_image(member, element)

    def found(self) -> FoundSet | None:
        """See `Format.read`."""
        if self._layered is not None and self._sheets.order == "area":
            self._log.warning(
                "z_order_unused",
                self._layered,
                "z_order says which shapes lie above others; the smaller ones are rasterized above instead.",
                "Nothing, if that is meant; else upload the set with order=file, which goes by z_order.",
            )
        return self._sheets.result(self._labels, _CLASSES)

    def _add_labels(self, meta: Element) -> None:
        for label in meta.iter("label"):
            name = label.findtext("name")
            if name is None or not name.strip() or label.findtext("parent"):
                continue  # a part of a skeleton, which has no pixels
            self._labels.add(name, label.findtext("color"))
        if len(self._labels.names) > 1:
            self._labels.close()

    def _add_image(self, member: Member, element: Element) -> None:
        name = text(element.get("name"), "the name of an image")
        subset = element.get("subset")
        referenced = f"{subset}/{name}" if subset else name
        try:
            sheet = self._sheet(member, element)
            image = self._sheets.referenced.find(referenced, member.path)
        except Refused as refusal:
            self._log.error(
                refusal.problem_code, member.path, f"{referenced}: {refusal.message}", refusal.remedy
            )
            return
        if image is None:
            self._sheets.missing(member.path, referenced)
            return
        located = Located(
            image=image,
            truth=self._sheets.truth(member.path, sheet),
            referenced=referenced,
        )
        self._sheets.add(member.path, sheet, located)

    def _sheet(self, member: Member, element: Element) -> Sheet:
        sheet = Sheet(size=image_size(element.get("width"), element.get("height")))
        layers: list[float] = []
        budget, groups = Budget(), Groups()
        for index, shape in enumerate(element):
            if shape.tag in _NOT_SHAPES:
                continue
            with sheet.part(f"{element.get('name')}, {shape.tag} {index + 1}"):
                layer = number(shape.get("z_order", "0"), "z_order")
                drawn = _regions(shape, self._labels, budget)
                regions = [groups.part(region, _group(shape)) for region in drawn]
                sheet.regions += regions
                layers += [layer] * len(regions)
        if len(set(layers)) > 1:
            self._layered = self._layered or member.path
            in_order = sorted(zip(layers, sheet.regions, strict=True), key=lambda pair: pair[0])
            sheet.regions = [region for _, region in in_order]
        return sheet


def _regions(shape: Element, labels: Labels, budget: Budget) -> Sequence[Region]:
    if shape.tag not in ("mask", "points", *_DRAWN):
        raise not_a_region(shape.tag[:40], ", ".join((*_DRAWN, "points", "mask")))
    value = labels.value(text(shape.get("label"), "label"))
    if shape.tag == "mask":
        return [_mask(value, shape, budget)]
    if shape.tag == "points":
        return [stroke(value, point[None]) for point in _points(shape)]
    return [_DRAWN[shape.tag](value, shape)]


def _group(shape: Element) -> str | None:
    """The id of the group that a shape is in, None or 0 where it is in none."""
    found = (shape.get("group_id") or "").strip()
    return found if found.strip("0") else None


def _polygon(value: int, shape: Element) -> Polygon:
    return Polygon(value=value, rings=(ring(_points(shape)),))


def _line(value: int, shape: Element) -> Stroke:
    return stroke(value, _points(shape))


def _box(value: int, shape: Element) -> Polygon:
    left, top, right, bottom = (_side(shape, name) for name in ("xtl", "ytl", "xbr", "ybr"))
    centre = ((left + right) / 2, (top + bottom) / 2)
    return turned_box(value, (left, top, right, bottom), _rotation(shape), centre)


def _ellipse(value: int, shape: Element) -> Ellipse:
    x, y, rx, ry = (_side(shape, name) for name in ("cx", "cy", "rx", "ry"))
    if min(rx, ry) <= 0:
        raise broken("rx and ry", "above 0", (rx, ry))
    return Ellipse(value=value, x=x, y=y, rx=rx, ry=ry, angle=_rotation(shape))


_DRAWN: dict[str, Callable[[int, Element], Region]] = {
    "polygon": _polygon,
    "polyline": _line,
    "box": _box,
    "ellipse": _ellipse,
}


def _mask(value: int, shape: Element, budget: Budget) -> Bitmap:
    """Runs outside and inside in turn, row by row of the box."""
    left, top, width, height = (int(_side(shape, name)) for name in ("left", "top", "width", "height"))
    rle = text(shape.get("rle"), "rle")
    try:
        runs = np.array([int(run) for run in rle.split(",")], np.int64)
    except (ValueError, OverflowError) as error:
        raise broken("rle", "whole numbers parted by commas", rle) from error
    return from_runs(value, runs, (width, height), left, top, budget)


def _points(shape: Element) -> Ring:
    """`x,y;x,y` and so on."""
    written = text(shape.get("points"), "points")
    return points([pair.split(",") for pair in written.split(";")], "points")


def _side(shape: Element, name: str) -> float:
    return number(shape.get(name), name)


def _rotation(shape: Element) -> float:
    return number(shape.get("rotation", "0"), "rotation")


def _xml(source: Source) -> list[Member]:
    return [member for member in source.members if member.path.lower().endswith(".xml")]


def _is_cvat(source: Source, member: Member) -> bool:
    return any(mentions(source, member, b"<annotations", one) for one in (b"<image ", b"<track "))


def _video() -> Refused:
    return Refused(
        "cvat_video",
        'The file has tracks through the frames of a video; "CVAT for images 1.1" is read.',
        'Export the task as "CVAT for images 1.1", with its images.',
    )


def _report_other(member: Member, log: ProblemLog) -> None:
    log.warning(
        "file_unread",
        member.path,
        "The file has no CVAT annotations of images; it is left out.",
        'Nothing, if it belongs to no image; else export the task as "CVAT for images 1.1".',
    )
