"""What the annotation of one image says, gathered object by object, and how a whole set of it is reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.annotations.grouped_warnings import Faults
from workers.ingest.formats.annotations.image_lookup import CitedFiles, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.formats.annotations.kinds import PAINTED_BOXES, KindCounts
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.marked import Marked
from workers.ingest.regions.masks import IGNORED, Order, Region, Stroke
from workers.ingest.regions.shapes import LINE_WIDTH
from workers.ingest.regions.spool import RegionFile
from workers.ingest.regions.truth import RegionsTruth

_BLOCKING = frozenset(("label_unknown", "too_many_classes"))
"""Refusals of an object that stand for a whole class going amiss."""

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


class SheetSet:
    """Puts the sheets of an upload together, and logs what is wrong with them."""

    def __init__(self, source: Source, options: IngestOptions, log: ProblemLog, pairs: str) -> None:
        """`pairs` says how annotations name their images: see `FoundSet`."""
        self.referenced = CitedFiles(source.members, options, source.read)
        self._pairs = pairs
        self.order: Order = options.order
        self._log = log
        self._regions = RegionFile(source.scratch)
        self._found: dict[str, Located] = {}
        self._missing: list[tuple[str, str]] = []
        self._read = 0
        self._refused = 0
        self._kinds = KindCounts()
        self._strokes = 0
        self._stroked: str | None = None

    def truth(self, file: str, sheet: Sheet) -> RegionsTruth:
        """The sheet as a truth, its regions on disk; no background but 0. Raises OSError."""
        regions = self._regions.together(sheet.regions)
        return RegionsTruth(file=file, size=sheet.size, background=0, regions=regions, order=self.order)

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
        self._kinds.count(sheet.regions)
        self._refused += len(sheet.refused)
        self._found.setdefault(located.image.path, located)
        drawn = [one.region if isinstance(one, Marked) else one for one in sheet.regions]
        strokes = sum(isinstance(region, Stroke) for region in drawn)
        if strokes:
            self._strokes += strokes
            self._stroked = self._stroked or file

    def missing(self, file: str, referenced: str) -> None:
        """Note that `file` annotates an image that is not there, or that the client's patterns leave out."""
        if not self.referenced.leaves_out(referenced):
            self._missing.append((file, referenced))

    def result(self, labels: Labels, classes: str) -> FoundSet | None:
        """See `Format.read`; `classes` says where the names of classes came from."""
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
        self.referenced.report_unlisted(self._found, self._log)
        if self._log.has_errors:
            return None
        return FoundSet(
            items=named_items(self._found.values()),
            kinds=self._kinds.kinds(PAINTED_BOXES),
            names=labels.names,
            colors=labels.colors,
            ignore_value=IGNORED,
            pairs=self._pairs,
            classes=classes,
        )
