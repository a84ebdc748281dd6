"""Puts a set of boxes together that files list object by object: which image each is of, and its numbers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from trainyard.datasets.record import BoxForm, IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.annotation_set import Sheet, SheetSet
from workers.ingest.formats.annotations.box_forms import BoxForms, BoxReading, Numbers, Units, sides
from workers.ingest.formats.annotations.item_names import Located
from workers.ingest.formats.annotations.label_values import Labels
from workers.ingest.items import FoundSet, Source, Truth
from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.words import ending_of
from workers.ingest.pictures.decode import open_header
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.marked import Marked, rectangle
from workers.ingest.regions.truth import FractionsTruth
from workers.ingest.text.sniff import sample

MEASURED = 200
"""Images whose size is looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedBox:
    """An object: the name of its class, the numbers of its box, whether it is a crowd."""

    label: str
    numbers: Numbers
    crowd: bool = False


@dataclass(kw_only=True, slots=True)
class ListedImage:
    """What one file says of an image: what it calls it, its split if it says one, and its objects.

    `refused` has what is wrong with single objects, each behind its place.
    """

    referenced: str
    file: str
    split: str | None = None
    boxes: list[ListedBox] = field(default_factory=list)
    refused: list[tuple[str, Refused]] = field(default_factory=list)


class ListedBoxes:
    """Gathers what files list, and reads all of it in one way."""

    def __init__(
        self,
        source: Source,
        options: IngestOptions,
        log: ProblemLog,
        pairs: str,
        form: BoxForm,
        units: Units = "pixels",
        *,
        certain: bool = True,
    ) -> None:
        """`pairs` as in SheetSet; `form` and `units` are those of the format, `certain` as in BoxForms."""
        self._source = source
        self._options = options
        self._log = log
        self._sheets = SheetSet(source, options, log, pairs)
        self._forms = BoxForms(form, units, certain=certain)
        self._found: defaultdict[str, list[ListedImage]] = defaultdict(list)
        self._members: dict[str, Member] = {}

    def add(self, images: Iterable[ListedImage]) -> None:
        """Take what a file lists; an image that the upload lacks is noted."""
        listed = list(images)
        self._sheets.referenced.expect(one.referenced for one in listed)
        for one in listed:
            try:
                referenced = self._sheets.referenced
                is_named = ending_of(one.referenced) in PICTURES
                member = (referenced.find if is_named else referenced.find_stem)(one.referenced, one.file)
            except Refused as refusal:
                self._log.refused(one.file, refusal)
                continue
            if member is None:
                self._sheets.missing(one.file, one.referenced)
                continue
            self._members[member.path] = member
            self._found[member.path].append(one)

    def found(self, classes: str, names: Mapping[str, str] | None = None) -> FoundSet | None:
        """See `Format.read`; `names` has what labels are called where that is said elsewhere."""
        reading = self._reading()
        if self._log.is_blocked():
            return None
        called, labels = names or {}, Labels()
        for path, listed in sorted(self._found.items()):
            sheet = Sheet()
            for one in listed:
                sheet.refused += one.refused
                for box in one.boxes:
                    with sheet.part(f"the box {box.numbers}"):
                        sheet.regions.append(_region(box, labels, called, reading.form))
            splits = {one.split for one in listed}
            truth: Truth = self._sheets.truth(listed[0].file, sheet)
            if reading.units == "fractions":
                regions = tuple(sheet.regions)
                truth = FractionsTruth(file=listed[0].file, regions=regions, order=self._options.order)
            split = next(iter(splits)) if len(splits) == 1 else None
            self._sheets.add(
                listed[0].file, sheet, Located(image=self._members[path], truth=truth, split=split)
            )
        found = self._sheets.result(labels, classes)
        return None if found is None else replace(found, kinds=("boxes",), ignore_value=None)

    def _reading(self) -> BoxReading:
        boxed = [path for path, listed in self._found.items() if any(one.boxes for one in listed)]
        measured = {path: self._size(path) for path in sample(sorted(boxed), MEASURED)}
        for path in boxed:
            for one in self._found[path]:
                for box in one.boxes:
                    self._forms.add(box.numbers, measured.get(path), path, None, None)
        file = self._found[boxed[0]][0].file if boxed else ""
        return self._forms.settled(self._options, file, self._members.get, self._source.read, self._log)

    def _size(self, path: str) -> tuple[int, int] | None:
        try:
            return open_header(self._source.read(self._members[path])).size
        except Refused:
            return None  # reading the set tells why


def _region(box: ListedBox, labels: Labels, called: Mapping[str, str], form: BoxForm) -> Marked:
    value = labels.value(called.get(box.label, box.label))
    left, top, right, bottom = sides(form, box.numbers)
    region = rectangle(value, left, top, right, bottom)
    return Marked(region=region, label=value, crowd=box.crowd, box=region.box)
