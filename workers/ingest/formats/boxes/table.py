"""Reads tables of boxes, an object a row: CSV and TSV, with headings or without.

Known forms, among others: TensorFlow's `filename,width,height,class,xmin,ymin,xmax,ymax`; without headings
those of keras-retinanet, `path,x1,y1,x2,y2,class`, and Vertex AI, `TRAIN,path,class,x1,y1,,,x2,y2,,`;
Open Images' columns of fractions (https://storage.googleapis.com/openimages/web/download_v7.html); a column
of boxes, `[x, y, w, h]`. Corners are coordinates as they stand. Rows with an image and no box are images
without objects.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.files.classes_file import read_classes_files
from workers.ingest.formats.annotations.box_forms import Numbers
from workers.ingest.formats.annotations.image_lookup import CitedFiles
from workers.ingest.formats.boxes.box_set import ListedBox, ListedBoxes, ListedImage
from workers.ingest.formats.boxes.columns import TRIED, Columns, Row, columns_of
from workers.ingest.items import FoundSet, Source
from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.splits.lists.list_rows import known_split
from workers.ingest.text.text_files import decoded
from workers.ingest.text.typed_json import MAX_JSON, number

_ENDINGS = (".csv", ".tsv", ".txt")
_START = 1 << 16
"""Bytes of a file that are looked at to know its columns."""
_MOST_FILES = 50
_NO_TABLE = "submission"
_PAIRS = "each image by its column of the table"
_ALONE = "object"
_MID = ("/m/", "/g/")
_FALSE = ("", "0", "-1", "false", "no")
"""What says that a box is of one object; -1 is Open Images' unknown."""


class BoxTable:
    """See `Format`."""

    name = "box_table"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: tables with the sides of boxes."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        files = [
            one for one in source.members if ending_of(one.path) in _ENDINGS and 0 < one.size <= MAX_JSON
        ]
        files = [one for one in files if _NO_TABLE not in stem_of(one.path).casefold()]
        files.sort(key=lambda one: (one.path.count("/"), one.path))
        files = [one for one in files[:_MOST_FILES] if _has_columns(source, one)]
        if not files:
            return []
        referenced = CitedFiles(source.members)
        return [one for one in files if _columns(source, one, referenced) is not None]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: there are boxes alone."""
        return False

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        referenced = CitedFiles(source.members, options)
        tables = [
            (one, columns) for one in self.evidence(source) if (columns := _columns(source, one, referenced))
        ]
        if not tables:
            log.error(
                "no_images",
                None,
                "No table of the upload has a column of its images and the four numbers of boxes.",
                "Write a header such as filename,class,xmin,ymin,xmax,ymax.",
            )
            return None
        first = tables[0][1]
        if any((one.form, one.units) != (first.form, first.units) for _, one in tables):
            log.error(
                "box_tables_differ",
                tables[0][0].path,
                "The tables of boxes do not have the same columns, so that their numbers cannot be compared.",
                "Write all with one header, such as filename,class,xmin,ymin,xmax,ymax.",
            )
            return None
        certain = all(one.certain for _, one in tables)
        boxes = ListedBoxes(source, options, log, _PAIRS, first.form, first.units, certain=certain)
        labels: set[str] = set()
        for member, columns in tables:
            try:
                listed = list(_images(source, member, columns))
            except Refused as refusal:
                log.refused(member.path, refusal)
                continue
            labels |= {box.label for one in listed for box in one.boxes}
            boxes.add(listed)
        if any(one.label is None for _, one in tables):
            log.guess(f"all objects are of one class, {_ALONE!r}, since no column of the table names classes")
        names, origin = _names(source, labels, log)
        return boxes.found(origin, names)


def _has_columns(source: Source, member: Member) -> bool:
    """Whether the first line has enough cells for an image and a box, which costs far less than to know the
    names of all pictures."""
    try:
        with source.open(member) as file:
            first = file.read(_START).lstrip().partition(b"\n")[0]
    except Refused:
        return False
    return max(map(first.count, (b",", b";", b"\t"))) > 1 or b"box" in first.lower()


def _columns(source: Source, member: Member, referenced: CitedFiles) -> Columns | None:
    try:
        with source.open(member) as file:
            start = file.read(_START)
        text, _ = decoded(start if len(start) == member.size else start.rpartition(b"\n")[0])
    except (Refused, UnicodeDecodeError):
        return None
    if not text.strip() or "region_shape_attributes" in text[:4096]:
        return None

    def is_image(cell: str) -> bool:
        try:
            return bool(cell.strip()) and _found(referenced, cell.strip(), member.path)
        except Refused:
            return True  # several are called so

    return columns_of(_rows(text)[: TRIED + 1], is_image)


def _found(referenced: CitedFiles, name: str, citing: str) -> bool:
    is_named = ending_of(name) in PICTURES
    return (referenced.find if is_named else referenced.find_stem)(name, citing) is not None


def _rows(text: str) -> list[Row]:
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max("\t;,", key=first.count)
    rows = csv.reader((line for line in lines if line.strip()), delimiter=delimiter, skipinitialspace=True)
    try:
        return list(rows)
    except csv.Error:
        return []


def _images(source: Source, member: Member, columns: Columns) -> Iterator[ListedImage]:
    try:
        text, _ = decoded(source.read(member))
    except UnicodeDecodeError as error:
        raise Refused("text_encoding", "The table is no text.", "Save it as UTF-8.") from error
    images: dict[str, ListedImage] = {}
    for line, row in enumerate(_rows(text)[columns.has_head :], start=1 + columns.has_head):
        if len(row) < columns.width:
            raise Refused(
                "table_broken",
                f"Row {line} has {len(row)} cells, and the columns are {columns.width} or more.",
                "Write the table anew.",
            )
        referenced = row[columns.image].strip()
        split = None if columns.split is None else known_split(row[columns.split].strip().casefold())
        image = images.setdefault(
            referenced, ListedImage(referenced=referenced, file=member.path, split=split)
        )
        numbers = columns.numbers(row)
        if any(numbers):
            try:
                image.boxes.append(_box(row, numbers, columns))
            except Refused as refusal:
                image.refused.append((f"row {line}", refusal))
    yield from images.values()


def _box(row: Row, numbers: Sequence[str], columns: Columns) -> ListedBox:
    if len(numbers) != 4:
        raise Refused("annotation_broken", f"a box has {len(numbers)} numbers, not 4", "Write it anew.")
    a, b, c, d = (number(one, "a side of a box") for one in numbers)
    sides: Numbers = (a, b, c, d)
    label = _ALONE if columns.label is None else row[columns.label].strip()
    if not label:
        raise Refused("annotation_broken", "a box has no class", "Name its class, or take it out.")
    crowd = columns.crowd is not None and row[columns.crowd].strip().casefold() not in _FALSE
    return ListedBox(label=label, numbers=sides, crowd=crowd)


def _names(source: Source, labels: set[str], log: ProblemLog) -> tuple[Mapping[str, str], str]:
    """What labels are called that are numbers, or Open Images' names of things; and where that is said."""
    if labels and all(label.startswith(_MID) for label in labels):
        described = _descriptions(source)
        if labels & described.keys():
            return described, "the descriptions of the classes"
    if labels and all(label.isdecimal() for label in labels):
        numbers = {int(label) for label in labels}
        for file in read_classes_files(source, log):
            by_value = file.said.names or dict(enumerate(file.said.listed))
            if numbers <= by_value.keys():
                return {str(value): name for value, name in by_value.items()}, f"the names in {file.path}"
    return {}, "the column of classes"


def _descriptions(source: Source) -> dict[str, str]:
    """Names by Open Images' keys of classes: `/m/0284d,Fork`."""
    found: dict[str, str] = {}
    for member in source.members:
        if ending_of(member.path) == ".csv" and member.size <= _START << 6:
            try:
                text, _ = decoded(source.read(member))
            except (Refused, UnicodeDecodeError):
                continue
            found |= {row[0]: row[1] for row in _rows(text) if len(row) == 2 and row[0].startswith(_MID)}
    return found
