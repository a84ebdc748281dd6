"""Reads COCO's panoptic segmentation: JSON with `segments_info`, and a picture of ids for each image.

Format: https://cocodataset.org/#format-data, 4: the id of a pixel is red + 256 green + 65536 blue, and 0 is
void. Mask values are 1 and up in the order of category ids; void, and by default what is marked `iscrowd`,
is ignored. Each segment of a category that is a thing (`isthing`) is an object.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np

from trainyard.datasets.record import MASKS, IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.class_values import ClassValues, class_values
from workers.ingest.formats.annotations.image_lookup import CitedFiles, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.formats.annotations.kinds import INSTANCES
from workers.ingest.formats.coco import records as coco_records
from workers.ingest.formats.coco.records import Category, Key, Segments
from workers.ingest.formats.coco.segments import SegmentsTruth
from workers.ingest.items import FoundSet, Source
from workers.ingest.paths.split_folders import splits_of_names
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED
from workers.ingest.text.sniff import largest, mentions

_KEYS = (b'"segments_info"', b'"file_name"')
_MASKS = "panoptic"


class CocoPanoptic:
    """See `Format`."""

    name = "coco_panoptic"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a JSON file that has segments."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        return [one for one in largest(source, ".json") if mentions(source, one, *_KEYS)]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: segments have pixels."""
        return True

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        files = [
            member
            for member in source.members
            if member.path.lower().endswith(".json") and mentions(source, member, *_KEYS)
        ]
        try:
            listed = _categories(source, files)
            classes = class_values([(one.key, one.name) for one in listed], None, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None
        reader = _Reader(source, options, log, classes, {one.key for one in listed if one.is_thing})
        splits = splits_of_names([PurePosixPath(member.path).stem for member in files])
        for member, split in zip(files, splits, strict=True):
            try:
                reader.add(member, split)
            except Refused as refusal:
                log.refused(member.path, refusal)
        return reader.found()


class _Reader:
    """Puts the images of all files together."""

    def __init__(
        self,
        source: Source,
        options: IngestOptions,
        log: ProblemLog,
        classes: ClassValues[Key],
        things: Collection[Key],
    ) -> None:
        """`things` are the categories of which each segment is an object."""
        self._things = things
        self._source = source
        self._keeps_crowds = options.crowd == "label"
        self._log = log
        self._classes = classes
        images = [one for one in source.members if not _is_mask(one)]
        self._images = CitedFiles(images, options, source.read)
        self._masks = CitedFiles(filter(_is_mask, source.members))
        self._found: dict[str, Located] = {}
        self._missing: list[tuple[str, str]] = []

    def add(self, member: Member, split: str | None) -> None:
        """Read a file; raises Refused where it is broken."""
        with self._source.open(member) as file:
            names: dict[Key | None, str] = {one.key: one.file_name for one in coco_records.images(file)}
        with self._source.open(member) as file:
            for segments in coco_records.segments(file):
                referenced = names.get(segments.image, segments.mask)
                image = self._images.find(referenced, member.path)
                mask = self._masks.find(f"{PurePosixPath(member.path).stem}/{segments.mask}", member.path)
                if image is None or mask is None:
                    if not self._images.leaves_out(referenced):
                        self._missing.append((member.path, referenced if image is None else segments.mask))
                    continue
                values = bytes(self._values(segments))
                crowds = [crowd and not self._keeps_crowds for crowd in segments.crowds]
                truth = SegmentsTruth(
                    member=mask,
                    ids=np.array(segments.ids, np.uint32).tobytes(),
                    values=values,
                    labels=tuple(map(self._label, segments.categories)),
                    crowds=tuple(crowds),
                )
                located = Located(image=image, truth=truth, split=split, referenced=referenced)
                self._found.setdefault(image.path, located)

    def found(self) -> FoundSet | None:
        """See `Format.read`."""
        report_missing(self._missing, len(self._found), self._log)
        if not self._found and not self._log.has_errors:
            self._log.error(
                "no_images",
                None,
                "No JSON file with segments_info lists an image of the upload.",
                "Add the images, and the pictures of ids in folders called as their JSON files.",
            )
        self._images.report_unlisted(self._found, self._log)
        if self._log.has_errors:
            return None
        has_background = 0 in self._classes.value_of.values()
        names = {value: name for value, name in self._classes.names.items() if value or has_background}
        return FoundSet(
            items=named_items(self._found.values()),
            kinds=INSTANCES if self._things else MASKS,
            names=names,
            ignore_value=IGNORED,
            pairs="each image, and its picture of ids, by the file_name of its record",
            classes="the categories of the JSON files",
        )

    def _label(self, category: Key | None) -> int:
        """The value of the class of a thing, 0 of what is none."""
        return self._classes.value_of[category] if category in self._things else 0  # type: ignore[index]

    def _values(self, segments: Segments) -> Iterator[int]:
        """The value of each segment; raises Refused for one of an unlisted category."""
        for category, crowd in zip(segments.categories, segments.crowds, strict=True):
            if category not in self._classes.value_of:
                raise Refused(
                    "unknown_category",
                    f"{segments.mask}: a segment has the category id {category}, which is not listed.",
                    "Add the category to the file, or take the segment out.",
                )
            ignored = crowd and not self._keeps_crowds
            yield IGNORED if ignored else self._classes.value_of[category]


def _categories(source: Source, files: list[Member]) -> list[Category]:
    """The categories of all files, by id. Raises Refused."""
    listed: list[Category] = []
    for member in files:
        with source.open(member) as file:
            listed += coco_records.categories(file)
    found = {(one.key, one.name): one for one in listed}
    return sorted(found.values(), key=lambda one: (isinstance(one.key, str), one.key))


def _is_mask(member: Member) -> bool:
    return member.folder.startswith(_MASKS)
