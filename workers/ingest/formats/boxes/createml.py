"""Reads the JSON of Apple's Create ML: a list of images, each with its objects.

Format: https://developer.apple.com/documentation/createml/building-an-object-detector-data-source. A box is
`{"x": .., "y": .., "width": .., "height": ..}`, x and y
being those of its centre in pixels from the top left.
"""

from collections.abc import Iterator, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.boxes.box_set import ListedBox, ListedBoxes, ListedImage
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.text.json_stream import elements
from workers.ingest.text.sniff import mentions
from workers.ingest.text.typed_json import listing, mapping, number, text

_WORDS = (b'"coordinates"', b'"label"', b'"annotation')
_PAIRS = "each image by its name in the JSON file"
_IMAGE_KEYS = ("image", "imagefilename", "filename", "imagename")
_OBJECT_KEYS = ("annotations", "annotation")
_SIDES = ("x", "y", "width", "height")
_LOOKED_AT = 50


class CreateMl:
    """See `Format`."""

    name = "createml"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: JSON of images with labels and coordinates."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`."""
        files = [one for one in source.members if one.path.casefold().endswith(".json")]
        files.sort(key=lambda one: (one.path.count("/"), one.path))
        return [one for one in files[:_LOOKED_AT] if mentions(source, one, *_WORDS) and _is_list(source, one)]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: there are boxes alone."""
        return False

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        boxes = ListedBoxes(source, options, log, _PAIRS, "cxcywh")
        for member in self.evidence(source):
            try:
                boxes.add(list(_images(source, member)))
            except Refused as refusal:
                log.refused(member.path, refusal)
        return boxes.found("the labels of the objects")


def _is_list(source: Source, member: Member) -> bool:
    try:
        with source.open(member) as file:
            return next((_referenced(one) is not None for one in elements(file)), False)
    except Refused:
        return False


def _images(source: Source, member: Member) -> Iterator[ListedImage]:
    with source.open(member) as file:
        for entry in elements(file):
            about = mapping(entry, "an image")
            image = ListedImage(referenced=text(_referenced(entry), "the name of an image"), file=member.path)
            listed = next((about[key] for key in _OBJECT_KEYS if key in about), [])
            for place, one in enumerate(listing(listed, "annotations"), start=1):
                try:
                    image.boxes.append(_box(one))
                except Refused as refusal:
                    image.refused.append((f"object {place} of {image.referenced}", refusal))
            yield image


def _referenced(entry: object) -> object:
    about = entry if isinstance(entry, dict) else {}
    return next((about[key] for key in about if str(key).casefold() in _IMAGE_KEYS), None)


def _box(entry: object) -> ListedBox:
    about = mapping(entry, "an object")
    at = mapping(about.get("coordinates"), "coordinates")
    x, y, width, height = (number(at.get(side), side) for side in _SIDES)
    return ListedBox(label=text(about.get("label"), "label"), numbers=(x, y, width, height))
