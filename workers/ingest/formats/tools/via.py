"""Reads VIA, versions 1 and 2: projects and annotations in JSON, or annotations as CSV.

Format: VGG Image Annotator 2, "Export Annotations"; version 1 has regions in an object, not a list.
A region's class is its only attribute, or of several the first of CLASS_ATTRIBUTES; a check box that is
ticked counts by its name. Where there is JSON, CSV is not read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.formats.tools.via_files import Record, images_key, is_csv, read_csv
from workers.ingest.formats.tools.via_shapes import region
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.text.json_stream import entries
from workers.ingest.text.sniff import any_has, largest, mentions
from workers.ingest.text.typed_json import broken, mapping, text

CLASS_ATTRIBUTES = ("label", "labels", "class", "class_name", "category", "name", "type")
"""Attributes, in any case, that are the class of a region which has others, too."""

UNLABELLED = "object"
"""The class of regions without a label."""

_PAIRS = "each image by the filename of its record"
_CLASSES = "the attributes of the regions"
_OUTLINE = re.compile(rb'"name"+\s*:\s*"+(?:polygon|circle|ellipse)"|"vid_list"')
_VERSION_3 = (b'"vid_list"', b'"metadata"')


class Via:
    """See `Format`."""

    name = "via"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: JSON or CSV with shape attributes, or a project of version 3."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        documents = largest(source, ".json")
        return (
            [one for one in documents if images_key(source, one) is not None]
            or [one for one in largest(source, ".csv") if is_csv(source, one)]
            or [one for one in documents if mentions(source, one, *_VERSION_3)]
        )

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: polygons, circles or ellipses."""
        return any_has(source, files, _OUTLINE)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        project = _Project(SheetSet(source, options, log, _PAIRS), log)
        documents = [(member, key) for member, key in _documents(source, log) if key is not None]
        for member, key in documents:
            with source.open(member) as file:
                project.add_all(member, entries(file, key))
        for member in () if documents else _ending(source, ".csv"):
            if is_csv(source, member):
                with source.open(member) as file:
                    project.add_all(member, read_csv(file, member.size))
        return project.found()


class _Project:
    """What the files say together."""

    def __init__(self, sheets: SheetSet, log: ProblemLog) -> None:
        self._sheets = sheets
        self._log = log
        self._labels = Labels()
        self._unlabelled = 0

    def add_all(self, member: Member, records: Iterable[Record]) -> None:
        """Read the images of a file; what is wrong with it is logged."""
        try:
            for place, record in records:
                self._add(member, place, record)
        except Refused as refusal:
            self._log.refused(member.path, refusal)

    def found(self) -> FoundSet | None:
        """See `Format.read`."""
        if self._unlabelled:
            self._log.warning(
                "label_missing",
                None,
                f"{self._unlabelled} region(s) have no label; they are of the class {UNLABELLED!r}.",
                "Nothing, if there is one class; else give each region a label.",
            )
        return self._sheets.result(self._labels, _CLASSES)

    def _add(self, member: Member, place: str, record: object) -> None:
        try:
            about = mapping(record, "the image")
            referenced = text(about.get("filename"), "filename")
            sheet = self._sheet(referenced, about.get("regions"))
            image = self._sheets.referenced.find(referenced, member.path)
        except Refused as refusal:
            self._log.error(refusal.problem_code, member.path, f"{place}: {refusal.message}", refusal.remedy)
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

    def _sheet(self, referenced: str, regions: object) -> Sheet:
        listed = list(regions.values()) if isinstance(regions, dict) else regions
        if not isinstance(listed, list):
            raise broken("regions", "a list or an object", regions)
        sheet = Sheet()
        for index, entry in enumerate(listed):
            with sheet.part(f"{referenced}, region {index + 1}"):
                about = mapping(entry, "the region")
                label = _label(mapping(about.get("region_attributes"), "region_attributes"))
                value = self._labels.value(label or UNLABELLED)
                sheet.regions.append(
                    region(value, mapping(about.get("shape_attributes"), "shape_attributes"))
                )
                self._unlabelled += label is None
        return sheet


def _label(attributes: dict[str, object]) -> str | None:
    """The label of a region, None where it has none; raises Refused where it is not known which it is."""
    given = {name: found for name, value in attributes.items() if (found := _value(name, value))}
    if len(given) <= 1:
        return next(iter(given.values()), None)
    for wanted in CLASS_ATTRIBUTES:
        for name, found in given.items():
            if name.strip().casefold() == wanted:
                return found
    raise broken("the class of a region", f"one attribute, or one called {CLASS_ATTRIBUTES[0]}", list(given))


def _value(name: str, value: object) -> str | None:
    if isinstance(value, dict):
        ticked = [option for option, is_set in value.items() if is_set is True]
        if len(ticked) > 1:
            raise broken(name, "one option", ticked)
        return ticked[0] if ticked else None
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() or None if plain else None


def _ending(source: Source, ending: str) -> list[Member]:
    return [member for member in source.members if member.path.lower().endswith(ending)]


def _documents(source: Source, log: ProblemLog) -> Iterator[tuple[Member, str | None]]:
    """The JSON files with their `images_key`; those that have none are logged."""
    for member in _ending(source, ".json"):
        key = images_key(source, member)
        if key is None:
            _report_other(source, member, log)
        yield member, key


def _report_other(source: Source, member: Member, log: ProblemLog) -> None:
    if mentions(source, member, *_VERSION_3):
        log.error(
            "via_version",
            member.path,
            "The file is a project of VIA 3; versions 1 and 2 are read.",
            "Annotate in VIA 2, or export the project as COCO.",
        )
        return
    log.warning(
        "file_unread",
        member.path,
        "The file has no VIA annotations of images; it is left out.",
        "Nothing, if it belongs to no image.",
    )
