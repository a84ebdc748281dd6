"""Reads COCO: polygons and run-length masks in JSON files, with the images beside them or in folders.

Mask values are 1 and up in the order of category ids; a category named as background is value 0. Where
several files annotate the same images, those called `instances...` are read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainyard.datasets.record import BoxForm, IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.class_rules import MAX_CLASSES
from workers.ingest.formats.annotations.box_forms import BoxForms, BoxReading, overlap, sides
from workers.ingest.formats.annotations.class_values import ClassValues, class_values
from workers.ingest.formats.annotations.grouped_warnings import Faults
from workers.ingest.formats.annotations.image_lookup import CitedFiles, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_files, named_items
from workers.ingest.formats.annotations.kinds import KindCounts, unpainted
from workers.ingest.formats.coco import records as coco_records
from workers.ingest.formats.coco.boxes import RereadBoxes, marked_box
from workers.ingest.formats.coco.files import annotated_members, has_outlines
from workers.ingest.formats.coco.listed import CocoFile, listed_files, projects
from workers.ingest.formats.coco.records import Annotation, ImageRecord, Key, Size
from workers.ingest.items import FoundSet, Source, Truth
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.marked import Marked
from workers.ingest.regions.masks import IGNORED, Region, Sides
from workers.ingest.regions.spool import RegionFile
from workers.ingest.regions.truth import FractionsTruth, RegionsTruth

OWN_FORM: BoxForm = "xywh"

_LEAST_OVERLAP = 0.5
"""Of an object's box and its outline, intersection over union."""

_REMEDY_MASKS = "Export polygons or masks: instance segmentation, not object detection."


@dataclass(frozen=True)
class _Drawn:
    """A file with the regions of each of its images."""

    file: CocoFile
    images: list[ImageRecord]
    regions: Sequence[Sequence[Region]]
    faults: Faults


class Coco:
    """See `Format`."""

    name = "coco"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a JSON file that has images and annotations with boxes or regions."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        return annotated_members(source)

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: a polygon or run lengths, or a file that is cut off."""
        return has_outlines(source, files)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        files, listed = listed_files(source, log)
        if not files:
            if not log.has_errors:
                log.error(
                    "coco_missing",
                    None,
                    "There is no JSON file with the lists images, annotations and categories.",
                    "Add the COCO file to the upload, or name another format.",
                )
            return None
        try:
            roots = projects(listed)
            ordered = sorted(listed, key=lambda one: (one.name in roots, isinstance(one.key, str), one.key))
            pairs = dict.fromkeys((one.key, one.name) for one in ordered)
            classes = class_values(((pair, pair[1]) for pair in pairs), files[0].member.path, log)
        except Refused as refusal:
            log.refused(files[0].member.path, refusal)
            return None
        return _Assembly(source, options, log, classes).found(files, roots)


class _Assembly:
    """Puts the items of all files together."""

    def __init__(
        self,
        source: Source,
        options: IngestOptions,
        log: ProblemLog,
        classes: ClassValues[tuple[Key, str]],
    ) -> None:
        self._source = source
        self._options = options
        self._log = log
        self._classes = classes
        self._referenced = CitedFiles(source.members, options, source.read)
        self._found: dict[str, Located] = {}
        self._used: Counter[int] = Counter()
        self._missing: list[tuple[str, str]] = []
        self._kinds = KindCounts()
        self._forms = BoxForms(OWN_FORM, "pixels")
        self._elsewhere: list[str] = []
        self._crowds: Counter[str] = Counter()
        self._singles: Counter[str] = Counter()

    def found(self, files: list[CocoFile], roots: set[str]) -> FoundSet | None:
        self._referenced.expect(record.file_name for file in files for record in file.images)
        drawn: list[_Drawn] = []
        for file in files:
            try:
                drawn.append(self._drawn(file))
            except Refused as refusal:
                self._log.refused(file.member.path, refusal)
        reading = self._forms.settled(
            self._options, files[0].member.path, self._located, self._source.read, self._log
        )
        for one in drawn:
            self._add(one, reading)
        self._report(files, reading)
        if self._log.has_errors:
            return None
        kinds = self._kinds.kinds(("boxes",))
        if len(self._classes.names) > MAX_CLASSES:
            kinds = unpainted(kinds, len(self._classes.names), self._log)
        names = {
            value: name
            for value, name in self._classes.names.items()
            if name not in roots or self._used[value]
        }
        told = named_files([file.member.path for file in files])
        return FoundSet(
            items=named_items(self._found.values()),
            names=names,
            kinds=kinds,
            ignore_value=IGNORED,
            pairs=f"each image by the file_name of its record in {told}",
            classes=f"the categories of {told}",
        )

    def _drawn(self, file: CocoFile) -> "_Drawn":
        """What a file draws on each of its images. Raises Refused."""
        faults = Faults(file.member.path, self._log)
        images: dict[Key, ImageRecord] = {}
        for record in file.images:
            if images.setdefault(record.key, record) is not record:
                faults.add("duplicate_image_id", f"image id {record.key}", "several images have the same id")
        regions = self._regions(file, images, faults)
        return _Drawn(file, list(images.values()), regions, faults)

    def _add(self, drawn: "_Drawn", reading: BoxReading) -> None:
        for record, regions in zip(drawn.images, drawn.regions, strict=True):
            reread = regions if reading.form == OWN_FORM else RereadBoxes(regions, reading.form)
            truth: Truth
            if reading.units == "fractions":
                truth = FractionsTruth(file=drawn.file.member.path, regions=reread, order=self._options.order)
            else:
                truth = RegionsTruth(
                    file=drawn.file.member.path,
                    size=record.size,
                    background=0,
                    regions=reread,
                    order=self._options.order,
                )
            self._add_image(drawn.file, record, truth, drawn.faults)
        drawn.faults.report("Export the annotations anew, or leave out what is not needed.")

    def _located(self, file_name: str) -> Member | None:
        """The image that a record calls so, for a preview."""
        try:
            return self._referenced.find(file_name, "")
        except Refused:
            return None

    def _add_image(self, file: CocoFile, record: ImageRecord, truth: Truth, faults: Faults) -> None:
        path = file.member.path
        try:
            image = self._referenced.find(record.file_name, path)
        except Refused as refusal:
            faults.refused(f"image id {record.key}", refusal)
            return
        if image is None:
            if not self._referenced.leaves_out(record.file_name):
                self._missing.append((path, record.file_name))
            return
        if image.path in self._found:
            faults.add("duplicate_image", image.path, "an image is listed twice; the first entry counts")
            return
        self._found[image.path] = Located(
            image=image, truth=truth, split=file.split, referenced=record.file_name
        )

    def _regions(
        self, file: CocoFile, images: Mapping[Key, ImageRecord], faults: Faults
    ) -> Sequence[Sequence[Region]]:
        """The regions of each image, in the order of the images. Raises Refused."""
        regions = RegionFile(self._source.scratch)
        rows = {key: row for row, key in enumerate(images)}
        unknown: Counter[str] = Counter()
        with self._source.open(file.member) as stream:
            for annotation in coco_records.annotations(stream):
                if annotation.image is None:
                    faults.add("annotation_broken", f"annotation {annotation.key}", "it has no image_id")
                    continue
                value = self._value(annotation, file)
                if value is None:
                    unknown[str(annotation.category)] += 1
                    continue
                self._used[value] += 1
                try:
                    region = self._region(annotation, value, images.get(annotation.image))
                except Refused as refusal:
                    faults.refused(f"annotation {annotation.key}", refusal)
                    continue
                if annotation.image in rows:
                    self._kinds.count([region])
                    regions.add(rows[annotation.image], region)
                else:
                    faults.add("unknown_image", f"image id {annotation.image}", "no image has this id")
        self._report_unknown(unknown, file)
        return regions.by_image(len(images))

    def _report_unknown(self, categories: Counter[str], file: CocoFile) -> None:
        for category, count in categories.items():
            self._log.error(
                "unknown_category",
                file.member.path,
                f"{count} annotation(s) have the category id {category}, which is not listed.",
                "Add the category to the file, or take these annotations out.",
            )

    def _value(self, annotation: Annotation, file: CocoFile) -> int | None:
        if annotation.category is None or annotation.category not in file.names:
            return None
        return self._classes.value_of[annotation.category, file.names[annotation.category]]

    def _region(self, annotation: Annotation, value: int, image: ImageRecord | None) -> Region:
        """A box alone says that an object is there, not which pixels it has: these are ignored."""
        crowd = annotation.crowd and self._options.crowd == "ignore"
        size, name = (image.size, image.file_name) if image else (None, "")
        (self._crowds if crowd else self._singles)[self._classes.names[value]] += 1
        if not annotation.has_mask:
            numbers = annotation.numbers()
            self._forms.add(numbers, size, name, annotation.area, None)
            return marked_box(value, numbers, crowd=crowd)
        region = annotation.region(IGNORED if crowd else value, size)
        return Marked(region=region, label=value, crowd=crowd, box=self._box(annotation, region, size, name))

    def _box(self, annotation: Annotation, region: Region, size: Size | None, name: str) -> Sides:
        """The box of an outlined object: as annotated, if it is about where the outline is."""
        outline = region.box
        if annotation.box is None:
            return outline
        try:
            numbers = annotation.numbers()
        except Refused:
            return outline
        self._forms.add(numbers, size, name, None, outline)
        box = sides(OWN_FORM, numbers)
        if overlap(box, outline) >= _LEAST_OVERLAP:
            return box
        self._elsewhere.append(f"annotation {annotation.key}")
        return outline

    def _report(self, files: list[CocoFile], reading: BoxReading) -> None:
        first = files[0].member.path
        boxes, outlined = self._kinds.boxes, self._kinds.outlined
        if self._elsewhere and reading.form == OWN_FORM:
            self._log.warning(
                "box_elsewhere",
                first,
                f"{len(self._elsewhere)} of {outlined} outlined objects have a box elsewhere, such as "
                f"{self._elsewhere[0]}; their outlines count.",
                "Nothing, if the outlines are right; else export the annotations anew.",
            )
        if boxes and outlined:
            self._log.warning(
                "masks_missing",
                first,
                f"{boxes} of {boxes + outlined} annotations have a box and no mask "
                "(segmentation is empty); the pixels in these boxes are ignored.",
                _REMEDY_MASKS,
            )
        if not boxes and not outlined and not self._log.has_errors:
            self._log.error(
                "no_objects",
                first,
                "No annotation has a box or an outline.",
                "Annotate objects in the images.",
            )
        for name in self._crowds.keys() - self._singles.keys():
            self._log.warning(
                "only_crowds",
                first,
                f"All {self._crowds[name]} regions of {name!r} are marked iscrowd and thus ignored.",
                "If they are objects (CVAT marks ellipses so), upload the set with crowd=label.",
            )
        report_missing(self._missing, len(self._found), self._log)
        if not self._found and not self._log.has_errors:
            self._log.error("no_images", first, "The file lists no image of the upload.", "Add the images.")
        self._referenced.report_unlisted(self._found, self._log)
