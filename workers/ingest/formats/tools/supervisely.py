"""Reads Supervisely projects: meta.json, and for each image of a data set `img/NAME` an `ann/NAME.json`.

Format: docs.supervisely.com, "Supervisely annotation format"; coordinates are those of pixels, whose centres
lie half a pixel further ("Coordinate system" of the developer portal). Classes are those of meta.json, in its
order. An image's tag `train`, `val` or `test` is its split, else the folders tell.
"""

import posixpath
import re
import zlib
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
from workers.ingest.regions.marked import rectangle
from workers.ingest.regions.masks import Bitmap, Polygon, Region, Stroke
from workers.ingest.regions.polygons import Ring, ring
from workers.ingest.regions.shapes import not_a_region, stroke
from workers.ingest.splits.lists.list_rows import known_split
from workers.ingest.text.sniff import any_has, mentions, sample
from workers.ingest.text.typed_json import (
    broken,
    image_size,
    listing,
    mapping,
    number,
    parse_json,
    points,
    text,
)

META_FILE = "meta.json"
ANNOTATIONS, IMAGES = "ann", "img"

_PAIRS = "each annotation in ann/ by its image's name in img/"
_CLASSES = "the classes of meta.json"
_OUTLINE = re.compile(rb'"geometryType"\s*:\s*"(?:polygon|bitmap)"|"bitmap"\s*:\s*\{')

MAX_PICTURE = 32 << 20
"""Bytes that the picture of a bitmap may unpack to, itself still compressed."""


class Supervisely:
    """See `Format`."""

    name = "supervisely"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a meta.json that has classes, and files in folders `ann`."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        metas = [one for one in _metas(source) if mentions(source, one, b'"classes"')]
        return metas if _annotations(source) else []

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: bitmaps or polygons."""
        return any_has(source, sample(_annotations(source)), _OUTLINE)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        sheets = SheetSet(source, options, log, _PAIRS)
        labels = Labels()
        for member in _metas(source):
            try:
                _add_classes(mapping(parse_json(source.read(member)), "the document"), labels)
            except Refused as refusal:
                log.refused(member.path, refusal)
        if log.has_errors:
            return None  # of half the classes, every object would be unknown
        labels.close()
        for member in _annotations(source):
            try:
                _add(sheets, member, source.read(member), labels)
            except Refused as refusal:
                log.refused(member.path, refusal)
        return sheets.result(labels, _CLASSES)


def _add_classes(meta: dict[str, object], labels: Labels) -> None:
    for entry in listing(meta.get("classes"), "classes"):
        about = mapping(entry, "a class")
        labels.add(text(about.get("title"), "the title of a class"), about.get("color"))


def _add(sheets: SheetSet, member: Member, data: bytes, labels: Labels) -> None:
    document = mapping(parse_json(data), "the document")
    sheet = _sheet(document, labels)
    path = PurePosixPath(member.path)
    referenced = str(path.parent.parent / IMAGES / path.stem)
    # the oldest exports leave out the ending of the image's name
    image = sheets.referenced.find(referenced, member.path) or sheets.referenced.find_stem(
        referenced, member.path
    )
    if image is None:
        sheets.missing(member.path, referenced)
        return
    located = Located(
        image=image,
        truth=sheets.truth(member.path, sheet),
        split=_tagged_split(document),
    )
    sheets.add(member.path, sheet, located)


def _tagged_split(document: dict[str, object]) -> str | None:
    """The split that the image's tags name; None where none or several do."""
    tags = document.get("tags")
    names = [tag.get("name") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    splits = {known_split(name) for name in names if isinstance(name, str)} - {None}
    return splits.pop() if len(splits) == 1 else None


def _sheet(document: dict[str, object], labels: Labels) -> Sheet:
    size = mapping(document.get("size"), "size")
    sheet = Sheet(size=image_size(size.get("width"), size.get("height")))
    budget = Budget()
    for index, entry in enumerate(listing(document.get("objects"), "objects")):
        with sheet.part(f"objects[{index}]"):
            sheet.regions.append(_region(mapping(entry, "the object"), labels, budget))
    return sheet


def _region(entry: dict[str, object], labels: Labels, budget: Budget) -> Region:
    kind = entry.get("geometryType", "bitmap" if "bitmap" in entry else None)
    if not isinstance(kind, str) or kind not in ("bitmap", *_DRAWN):
        raise not_a_region(str(kind)[:40], ", ".join((*_DRAWN, "bitmap")))
    value = labels.value(text(entry.get("classTitle"), "classTitle"))
    if kind == "bitmap":
        return _bitmap(value, mapping(entry.get("bitmap"), "bitmap"), budget)
    return _DRAWN[kind](value, mapping(entry.get("points"), "points"))


def _bitmap(value: int, bitmap: dict[str, object], budget: Budget) -> Bitmap:
    packed = from_base64(text(bitmap.get("data"), "the bitmap's data"), "a bitmap")
    origin = listing(bitmap.get("origin"), "the bitmap's origin")
    if len(origin) != 2:
        raise broken("the bitmap's origin", "x and y", origin)
    left, top = (int(number(side, "the bitmap's origin")) for side in origin)
    return from_picture(value, _unpacked(packed), left, top, budget)


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        picture = unpacker.decompress(packed, MAX_PICTURE)
    except zlib.error as error:
        raise bad_bitmap(f"its zlib data is damaged: {error}") from error
    if not unpacker.eof:
        raise bad_bitmap(f"its zlib data is cut off, or unpacks to more than {MAX_PICTURE} bytes")
    return picture


def _polygon(value: int, drawn: dict[str, object]) -> Polygon:
    holes = listing(drawn.get("interior", []), "interior")
    return Polygon(
        value=value,
        rings=(ring(_centres(drawn.get("exterior"), "exterior")),),
        holes=tuple(ring(_centres(hole, "interior")) for hole in holes),
    )


def _rectangle(value: int, drawn: dict[str, object]) -> Polygon:
    """Two opposite corners; their pixels are in it."""
    corners = points(drawn.get("exterior"), "exterior")
    if len(corners) != 2:
        raise broken("exterior", "2 corners for a rectangle", corners.tolist())
    (left, top), (right, bottom) = np.sort(corners, axis=0).tolist()
    return rectangle(value, left, top, right + 1, bottom + 1)


def _line(value: int, drawn: dict[str, object]) -> Stroke:
    return stroke(value, _centres(drawn.get("exterior"), "exterior"))


_DRAWN: dict[str, Callable[[int, dict[str, object]], Region]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "line": _line,
    "point": _line,
}


def _centres(value: object, what: str) -> Ring:
    return points(value, what) + np.float32(0.5)


def _metas(source: Source) -> list[Member]:
    return [member for member in source.members if posixpath.basename(member.path).lower() == META_FILE]


def _annotations(source: Source) -> list[Member]:
    return [
        member
        for member in source.members
        if member.path.lower().endswith(".json") and member.folder == ANNOTATIONS
    ]
