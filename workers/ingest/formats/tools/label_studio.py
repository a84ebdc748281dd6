"""Reads Label Studio's export "JSON": tasks with brush strokes, polygons, rectangles and ellipses.

Format: labelstud.io, "Label Studio JSON format of annotated tasks"; lengths are percent of the image. Of
several annotations of a task one is read: the one marked as ground truth, else the newest that was not
cancelled. Classes are the labels in the order in which they appear.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.formats.tools.label_studio_rle import decode_brush
from workers.ingest.items import FoundSet, Source
from workers.ingest.paths.layout import PICTURES
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.bitmaps import Budget
from workers.ingest.regions.masks import Bitmap, Ellipse, Polygon, Region
from workers.ingest.regions.polygons import ring
from workers.ingest.regions.shapes import not_a_region, stroke, turned_box
from workers.ingest.text.json_stream import elements
from workers.ingest.text.sniff import any_has, largest, mentions
from workers.ingest.text.typed_json import (
    broken,
    image_size,
    listing,
    mapping,
    number,
    points,
    text,
)

_KINDS = "brush, polygon, rectangle, ellipse, keypoint"
_PAIRS = "each image by the name that its task has for it"
_CLASSES = "the labels of the regions"
_GEOMETRY = ("rle", "points", "radiusX", "x")
_OUTLINE = re.compile(rb'"(?:rle|radiusX)"\s*:|"points"\s*:\s*\[')
_PREFIX = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""


class LabelStudio:
    """See `Format`."""

    name = "label_studio"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a JSON file that is a list of tasks with data and annotations."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        return [member for member in largest(source, ".json") if _is_export(source, member)]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: brush strokes, polygons or ellipses."""
        return any_has(source, files, _OUTLINE)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        project = _Project(SheetSet(source, options, log, _PAIRS), log)
        for member in _json(source):
            try:
                if _is_export(source, member):
                    with source.open(member) as file:
                        for index, task in enumerate(elements(file)):
                            project.add(member, f"[{index}]", task)
                else:
                    _report_other(member, log)
            except Refused as refusal:
                log.refused(member.path, refusal)
        return project.found()


class _Project:
    """What the tasks of all files say together."""

    def __init__(self, sheets: SheetSet, log: ProblemLog) -> None:
        self._sheets = sheets
        self._log = log
        self._labels = Labels()

    def add(self, member: Member, place: str, task: object) -> None:
        """Read a task; what is wrong with it is logged."""
        try:
            self._add(member, place, mapping(task, "the task"))
        except Refused as refusal:
            self._log.error(refusal.problem_code, member.path, f"{place}: {refusal.message}", refusal.remedy)

    def found(self) -> FoundSet | None:
        """See `Format.read`."""
        return self._sheets.result(self._labels, _CLASSES)

    def _add(self, member: Member, place: str, task: dict[str, object]) -> None:
        annotation = self._chosen(member, place, task)
        if annotation is None:
            return
        sheet = _sheet(place, listing(annotation.get("result"), "result"), self._labels)
        referenced = list(image_paths(task))
        image = self._image(referenced, member)
        if image is None:
            self._sheets.missing(member.path, referenced[0] if referenced else f"of the task {place}")
            return
        located = Located(
            image=image,
            truth=self._sheets.truth(member.path, sheet),
        )
        self._sheets.add(member.path, sheet, located)

    def _image(self, referenced: list[str], member: Member) -> Member | None:
        """The first that is there, by its name as referenced or without the prefix of uploads."""
        for path in referenced:
            for candidate in (path, without_prefix(path)):
                image = self._sheets.referenced.find(candidate, member.path)
                if image is not None:
                    return image
        return None

    def _chosen(self, member: Member, place: str, task: dict[str, object]) -> dict[str, object] | None:
        """The annotation to read; None where there is none."""
        entries = listing(task.get("annotations", task.get("completions")), "annotations")  # before version 1
        usable = [
            about
            for about in (mapping(entry, "an annotation") for entry in entries)
            if not (about.get("was_cancelled") or about.get("skipped"))
        ]
        if not usable:
            self._log.warning(
                "task_unannotated",
                member.path,
                f"{place}: the task has no annotation that was not cancelled; its image is left out.",
                "Nothing, if that is meant; else annotate it.",
            )
            return None
        chosen = max(usable, key=_rank)
        if len(usable) > 1:
            kind = "marked as ground truth" if chosen.get("ground_truth") else "the newest"
            self._log.warning(
                "several_annotations",
                member.path,
                f"{place}: of {len(usable)} annotations, {chosen.get('id')} is read, {kind}.",
                "Nothing, if that is meant; else mark one as ground truth.",
            )
        return chosen


def without_prefix(path: str) -> str:
    """The path of a file without what Label Studio puts before the name of an upload."""
    pure = PurePosixPath(path)
    return str(pure.with_name(_PREFIX.sub("", pure.name, count=1))) if pure.name else path


def _rank(annotation: Mapping[str, object]) -> tuple[bool, str]:
    """Times are ISO 8601, in UTC: as text they are in order."""
    time = annotation.get("updated_at") or annotation.get("created_at")
    return bool(annotation.get("ground_truth")), str(time)


def _sheet(place: str, results: list[object], labels: Labels) -> Sheet:
    sheet = Sheet()
    budget = Budget()
    for index, entry in enumerate(results):
        with sheet.part(f"{place}.result[{index}]"):
            result = mapping(entry, "the result")
            value = result.get("value")
            if not isinstance(value, dict) or not any(key in value for key in _GEOMETRY):
                continue  # a choice, a text or a rating: of the whole image
            label = _label(result, value, results)
            size = _size(result, sheet)
            sheet.regions.append(_region(labels.value(label), value, size, budget))
    return sheet


def _size(result: dict[str, object], sheet: Sheet) -> tuple[int, int]:
    """The image's size as the result states it; the sheet takes that of its first."""
    if result.get("image_rotation"):
        raise Refused(
            "image_rotated",
            f"The image was turned by {str(result['image_rotation'])[:20]} degrees for annotation.",
            "Turn the image itself, and annotate it anew without turning.",
        )
    size = image_size(result.get("original_width"), result.get("original_height"))
    sheet.size = sheet.size or size
    if sheet.size != size:
        raise broken("the image's size", f"{sheet.size[0]}x{sheet.size[1]} as before", f"{size[0]}x{size[1]}")
    return size


def _label(result: dict[str, object], value: dict[str, object], results: list[object]) -> str:
    """The first label of the result itself, or else of another one of the same id."""
    same = [r for r in results if isinstance(r, dict) and r.get("id") == result.get("id") is not None]
    for about in (value, *(r.get("value") for r in same)):
        for key, names in about.items() if isinstance(about, dict) else ():
            if key.endswith("labels") and isinstance(names, list) and names:
                return text(names[0], key)
    raise broken("the labels of a region", "a list with a label", value.get("labels"))


def _region(value: int, drawn: dict[str, object], size: tuple[int, int], budget: Budget) -> Region:
    if "rle" in drawn:
        return _brush(value, drawn["rle"], size, budget)
    if "points" in drawn:
        return _polygon(value, points(drawn["points"], "points") * np.array(size, np.float32) / 100)
    if "radiusX" in drawn:
        x, y = _pixels(drawn, ("x", "y"), size)
        rx, ry = _pixels(drawn, ("radiusX", "radiusY"), size)
        if min(rx, ry) <= 0:
            raise broken("radiusX and radiusY", "above 0", (rx, ry))
        return Ellipse(value=value, x=x, y=y, rx=rx, ry=ry, angle=_rotation(drawn))
    if "height" in drawn:
        left, top = _pixels(drawn, ("x", "y"), size)
        width, height = _pixels(drawn, ("width", "height"), size)
        box = (left, top, left + width, top + height)
        return turned_box(value, box, _rotation(drawn), (left, top))
    if "width" in drawn:  # a key point
        return stroke(value, np.array([_pixels(drawn, ("x", "y"), size)], np.float32))
    raise not_a_region(", ".join(drawn)[:60], _KINDS)


def _brush(value: int, rle: object, size: tuple[int, int], budget: Budget) -> Bitmap:
    width, height = size
    try:
        packed = bytes(listing(rle, "rle"))  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError) as error:
        raise broken("rle", "a list of numbers from 0 to 255", rle) from error
    budget.spend(width * height)
    return Bitmap.of(value, decode_brush(packed, width * height).reshape(height, width))


def _polygon(value: int, corners: NDArray[np.floating]) -> Polygon:
    return Polygon(value=value, rings=(ring(corners),))


def _pixels(drawn: dict[str, object], names: tuple[str, str], size: tuple[int, int]) -> tuple[float, float]:
    """A pair along x and y, from percent to pixels."""
    along_x, along_y = (number(drawn.get(name), name) for name in names)
    return along_x * size[0] / 100, along_y * size[1] / 100


def _rotation(drawn: dict[str, object]) -> float:
    return number(drawn.get("rotation", 0), "rotation")


def image_paths(task: dict[str, object]) -> Iterator[str]:
    """What the task may call its image: `image` of its data, other data that are pictures, the upload."""
    data = task.get("data")
    values = dict(data) if isinstance(data, dict) else {}
    first = [values.pop("image", None), *values.values(), task.get("file_upload")]
    paths = [_path(value) for value in first if isinstance(value, str) and not value.startswith("data:")]
    yield from (path for path in paths if PurePosixPath(path).suffix.lower() in PICTURES)
    yield from (path for path in paths[:1] if PurePosixPath(path).name)


def _path(address: str) -> str:
    """The path of an address; `?d=` names it where Label Studio serves files of its own disk."""
    try:
        parts = urlsplit(address.replace("\\", "/"))
        local = parse_qs(parts.query).get("d", [])
    except ValueError:
        return address
    return local[0] if local else unquote(parts.path)


def _json(source: Source) -> list[Member]:
    return [member for member in source.members if member.path.lower().endswith(".json")]


def _is_export(source: Source, member: Member) -> bool:
    words = (b'"annotations"', b'"completions"')
    return _is_list(source, member) and any(mentions(source, member, b'"data"', word) for word in words)


def _is_list(source: Source, member: Member) -> bool:
    try:
        with source.open(member) as file:
            return file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except Refused:
        return False


def _report_other(member: Member, log: ProblemLog) -> None:
    log.warning(
        "file_unread",
        member.path,
        "The file is no list of tasks with data and annotations; it is left out.",
        'Nothing, if it belongs to no image; else export the project as "JSON", not as "JSON-MIN".',
    )
