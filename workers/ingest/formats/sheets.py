"""What the annotation of one image says, gathered object by object, and how a whole set of it is reported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.decode import DecodedImage
from workers.ingest.formats.base import FoundSet, Read, Source
from workers.ingest.formats.cited import CitedFiles, report_missing
from workers.ingest.formats.faults import Faults
from workers.ingest.formats.items import Located, named_items
from workers.ingest.formats.labels import Labels
from workers.ingest.formats.regions import IGNORED, Order, Region, RegionsTruth, Stroke
from workers.ingest.formats.shapes import LINE_WIDTH
from workers.ingest.problems import ProblemLog, Refused
from workers.prepared import Uint8

_BLOCKING = frozenset(("label_unknown", "too_many_classes"))
"""Refusals of an object that stand for a whole class going amiss."""

_LOOKED_AT = 8
_REMEDY = "Draw it again, or take it out."


@dataclass(kw_only=True)
class Sheet:
    """The regions of one image, `size` as in `RegionsTruth`; `refused` holds the place of each refusal."""

    size: tuple[int, int] | None = None
    regions: list[Region] = field(default_factory=list)
    refused: list[tuple[str, Refused]] = field(default_factory=list)

    @contextmanager
    def part(self, place: str) -> Iterator[None]:
        """Within it one object is read; it is left out where it is refused."""
        try:
            yield
        except Refused as refusal:
            self.refused.append((place, refusal))

    def truth(self, file: str, order: Order) -> RegionsTruth:
        """The regions as a truth; no background but 0."""
        return RegionsTruth(file=file, size=self.size, background=0, regions=self.regions, order=order)


@dataclass(frozen=True, kw_only=True)
class SheetTruth:
    """The one sheet of an annotation file, read anew to be painted: those of a set need not fit in memory.

    `parse` makes the sheet of the file's bytes; it is a function of a module, so that it can be pickled.
    """

    member: Member
    parse: Callable[[bytes, Labels], Sheet]
    labels: Labels
    order: Order

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.member.path

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`."""
        sheet = self.parse(read(self.member), self.labels)
        return sheet.truth(self.file, self.order).paint(read, image)


class SheetSet:
    """Puts the sheets of an upload together, and logs what is wrong with them."""

    def __init__(self, source: Source, options: IngestOptions, log: ProblemLog) -> None:
        self.cited = CitedFiles(source.members)
        self.order: Order = options.order
        self._log = log
        self._found: dict[str, Located] = {}
        self._missing: list[tuple[str, str]] = []
        self._read = 0
        self._refused = 0
        self._strokes = 0
        self._stroked: str | None = None

    def add(self, file: str, sheet: Sheet, located: Located) -> None:
        """Take an image with the sheet that `file` has for it."""
        faults = Faults(file, self._log)
        for place, refusal in sheet.refused:
            if refusal.problem_code in _BLOCKING:
                self._log.error(
                    refusal.problem_code, file, f"{place}: {refusal.message}", refusal.remedy or _REMEDY
                )
            else:
                faults.refused(place, refusal)
        if located.image.path in self._found:
            faults.add("duplicate_image", located.image.path, "an image is annotated twice; the first counts")
        faults.report(_REMEDY)
        self._read += len(sheet.regions)
        self._refused += len(sheet.refused)
        self._found.setdefault(located.image.path, located)
        strokes = sum(isinstance(region, Stroke) for region in sheet.regions)
        if strokes:
            self._strokes += strokes
            self._stroked = self._stroked or file

    def missing(self, file: str, cited: str) -> None:
        """Note that `file` annotates an image that is not there."""
        self._missing.append((file, cited))

    def result(self, labels: Labels) -> FoundSet | None:
        """See `Format.read`."""
        if self._refused > self._read:
            self._log.error(
                "objects_lost",
                None,
                f"{self._refused} of {self._refused + self._read} objects cannot be read.",
                "Export the annotations again in a way that the problems of each file name.",
            )
        report_missing(self._missing, len(self._found), self._log)
        if self._strokes:
            self._log.warning(
                "line_drawn",
                self._stroked,
                f"{self._strokes} line(s) and point(s) cover no pixels; they are drawn {LINE_WIDTH} wide.",
                "Nothing, if that is meant; else outline the objects.",
            )
        if not self._found and not self._log.has_errors:
            self._log.error(
                "no_images", None, "No image of the upload is annotated.", "Add images and annotations."
            )
        self.cited.report_unlisted(self._found, self._log)
        if self._log.has_errors:
            return None
        return FoundSet(
            items=named_items(self._found.values()),
            names=labels.names,
            colors=labels.colors,
            ignore_value=IGNORED,
        )


def largest(source: Source, ending: str) -> list[Member]:
    """Of the files of that ending, those to look at to recognise a format."""
    found = [member for member in source.members if member.path.lower().endswith(ending)]
    return sorted(found, key=lambda member: -member.size)[:_LOOKED_AT]


def looks_like(data: bytes, *words: bytes) -> bool:
    """Whether a document names all these; it need not be whole."""
    return all(word in data for word in words)


def peek(source: Source, member: Member) -> bytes:
    """The bytes of a file, none where it cannot be read."""
    try:
        return source.read(member)
    except Refused:
        return b""
