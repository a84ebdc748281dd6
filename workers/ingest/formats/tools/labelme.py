"""Reads LabelMe (versions 3 to 5): a JSON file for each image, which may hold the image itself.

Format: wkentaro/labelme, labelme/label_file.py and labelme/utils/shape.py. Classes are those of labels.txt
where the upload has one, else the labels in the order in which they appear. `__ignore__` marks pixels of no
class, `_background_` is value 0. Shapes of one label and one group id are parts of one object, as in
LabelMe's own exports. Flags and descriptions say nothing about classes.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.bitmaps import Budget, bad_bitmap, from_base64, from_picture
from workers.ingest.regions.marked import Groups, rectangle
from workers.ingest.regions.masks import Bitmap, Ellipse, Polygon, Region, Stroke
from workers.ingest.regions.polygons import Ring, ring
from workers.ingest.regions.shapes import not_a_region, stroke
from workers.ingest.text.sniff import any_has, largest, looks_like, mentions, sample
from workers.ingest.text.text_files import named, read_text
from workers.ingest.text.typed_json import broken, image_size, listing, mapping, parse_json, points, text

LABELS_FILE = "labels.txt"

_PAIRS = "each JSON file by its imagePath, else by its own name"
_OUTLINE = re.compile(rb'"shape_type"\s*:\s*(?:"(?:polygon|mask|circle)"|null)')
_KEYS = (b'"shapes"', b'"imagePath"')


class LabelMe:
    """See `Format`."""

    name = "labelme"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a JSON file that has shapes and an imagePath."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        return [one for one in largest(source, ".json") if mentions(source, one, *_KEYS)][:1]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: shapes that are no boxes, lines or points."""
        return any(_has_outline(source, member) for member in (*files, *sample(_json(source))))

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        labels = _listed_labels(source, log)
        listed = len(labels.names)
        sheets = SheetSet(source, options, log, _PAIRS)
        for member in _json(source):
            try:
                data = source.read(member)
                if looks_like(data, *_KEYS) or _beside(sheets, member):
                    _add(sheets, member, data, labels)
                else:
                    _report_other(member, log)
            except Refused as refusal:
                log.refused(member.path, refusal)
        if 1 < listed < len(labels.names):
            _report_unlisted(list(labels.names.values())[listed:], log)
        return sheets.result(labels, LABELS_FILE if listed > 1 else "the labels of the shapes")


def unpack_image(data: bytes) -> bytes:
    """The picture that a LabelMe file holds; raises Refused."""
    return from_base64(text(_document(data).get("imageData"), "imageData"), "imageData")


def _document(data: bytes) -> dict[str, object]:
    return mapping(parse_json(data), "the document")


def _add(sheets: SheetSet, member: Member, data: bytes, labels: Labels) -> None:
    document = _document(data)
    sheet = _sheet(document, labels)
    referenced = text(document.get("imagePath"), "imagePath")
    image = sheets.referenced.find(referenced, member.path) or _beside(sheets, member)
    holds_image = image is None and isinstance(document.get("imageData"), str)
    if image is None and not holds_image:
        sheets.missing(member.path, referenced)
        return
    located = Located(
        image=image or member,
        truth=sheets.truth(member.path, sheet),
        unpack=unpack_image if holds_image else None,
    )
    sheets.add(member.path, sheet, located)


def _sheet(document: dict[str, object], labels: Labels) -> Sheet:
    shapes = listing(document.get("shapes"), "shapes")
    sheet = Sheet()
    if document.get("imageWidth") is not None:  # version 3 has no size
        sheet.size = image_size(document["imageWidth"], document.get("imageHeight"))
    budget, groups = Budget(), Groups()
    for index, entry in enumerate(shapes):
        with sheet.part(f"shapes[{index}]"):
            shape = mapping(entry, "the shape")
            sheet.regions.append(groups.part(_region(shape, labels, budget), _group(shape)))
    return sheet


def _region(shape: dict[str, object], labels: Labels, budget: Budget) -> Region:
    kind = shape.get("shape_type") or "polygon"
    label = text(shape.get("label"), "label")
    corners = points(shape.get("points"), "points")
    if kind == "mask":
        return _mask(labels.value(label), corners, text(shape.get("mask"), "mask"), budget)
    if not isinstance(kind, str) or kind not in _DRAWN:
        raise not_a_region(str(kind)[:40], ", ".join((*_DRAWN, "mask")))
    return _DRAWN[kind](labels.value(label), corners)


def _group(shape: dict[str, object]) -> int | None:
    """The id that the parts of one object share; None where it has none."""
    found = shape.get("group_id")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _mask(value: int, box: Ring, picture: str, budget: Budget) -> Bitmap:
    """A picture that lies on the box from its first corner's pixel to, inclusively, its second's."""
    left, top, right, bottom = (int(side) for side in _two(box, "mask").reshape(-1))
    bitmap = from_picture(value, from_base64(picture, "mask"), left, top, budget)
    size = (right - left + 1, bottom - top + 1)
    if bitmap.x + bitmap.width > left + size[0] or bitmap.y + bitmap.height > top + size[1]:
        raise bad_bitmap(f"it is larger than its box of {size[0]}x{size[1]} pixels")
    return bitmap


def _polygon(value: int, corners: Ring) -> Polygon:
    return Polygon(value=value, rings=(ring(corners),))


def _rectangle(value: int, corners: Ring) -> Polygon:
    """Two opposite corners, or all four."""
    if len(corners) == 4:
        return _polygon(value, corners)
    (left, top), (right, bottom) = np.sort(_two(corners, "rectangle"), axis=0).tolist()
    return rectangle(value, left, top, right, bottom)


def _circle(value: int, corners: Ring) -> Ellipse:
    """The centre and a point of the rim."""
    (x, y), (rim_x, rim_y) = _two(corners, "circle").tolist()
    radius = float(np.hypot(rim_x - x, rim_y - y))
    if radius == 0:
        raise broken("points", "two different ones for a circle", corners.tolist())
    return Ellipse(value=value, x=x, y=y, rx=radius, ry=radius)


def _line(value: int, corners: Ring) -> Stroke:
    return stroke(value, corners)


_DRAWN: dict[str, Callable[[int, Ring], Region]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "circle": _circle,
    "line": _line,
    "linestrip": _line,
    "point": _line,
}


def _two(corners: Ring, kind: str) -> Ring:
    if len(corners) != 2:
        raise broken("points", f"2 for a shape of the type {kind}", len(corners))
    return corners


def _json(source: Source) -> list[Member]:
    return [member for member in source.members if member.path.lower().endswith(".json")]


def _has_outline(source: Source, member: Member) -> bool:
    """Whether a file has a shape that outlines; version 3 has polygons alone, and no types."""
    if any_has(source, [member], _OUTLINE):
        return True
    return mentions(source, member, *_KEYS, b'"points"') and not mentions(source, member, b'"shape_type"')


def _beside(sheets: SheetSet, member: Member) -> Member | None:
    """The picture that has the name of the JSON file; raises Refused where several have."""
    return sheets.referenced.find_stem(str(PurePosixPath(member.path).with_suffix("")), member.path)


def _listed_labels(source: Source, log: ProblemLog) -> Labels:
    """The labels of the labels.txt nearest to the top; none where there is none."""
    labels = Labels()
    file = named(source, LABELS_FILE)
    if file is not None:
        try:
            for line in filter(str.strip, read_text(source, file).splitlines()):
                labels.add(line)
        except Refused as refusal:
            log.refused(file.path, refusal)
    return labels


def _report_unlisted(names: list[str], log: ProblemLog) -> None:
    log.warning(
        "label_unlisted",
        None,
        f"{LABELS_FILE} does not list {', '.join(names[:10])}; each is read as a class of its own.",
        f"Add it to {LABELS_FILE}, or rename it in the shapes.",
    )


def _report_other(member: Member, log: ProblemLog) -> None:
    log.warning(
        "file_unread",
        member.path,
        "The file has no shapes and imagePath, and no image has its name; it is left out.",
        "Nothing, if it belongs to no image.",
    )
