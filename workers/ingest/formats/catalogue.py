"""All formats, and which of them an upload has."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainyard.catalog.names import DATASET_FORMATS
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.part_of import PartOf
from workers.ingest.formats.boxes.createml import CreateMl
from workers.ingest.formats.boxes.table import BoxTable
from workers.ingest.formats.coco.panoptic import CocoPanoptic
from workers.ingest.formats.coco.reader import Coco
from workers.ingest.formats.folders.camvid import Camvid
from workers.ingest.formats.folders.cityscapes import Cityscapes
from workers.ingest.formats.folders.kitti import Kitti
from workers.ingest.formats.folders.mapillary import Mapillary
from workers.ingest.formats.folders.pictures import Pictures
from workers.ingest.formats.tools.cvat import Cvat
from workers.ingest.formats.tools.label_studio import LabelStudio
from workers.ingest.formats.tools.labelme import LabelMe
from workers.ingest.formats.tools.labelme3 import LabelMe3
from workers.ingest.formats.tools.supervisely import Supervisely
from workers.ingest.formats.tools.via import Via
from workers.ingest.formats.voc.boxes import VocBoxes
from workers.ingest.formats.voc.reader import Voc
from workers.ingest.formats.yolo.reader import YoloSeg
from workers.ingest.items import Annotations, Format, Source
from workers.ingest.problems import Refused
from workers.plugins.registry import registered

FORMATS: tuple[Format, ...] = (
    Coco(),
    Mapillary(),
    CocoPanoptic(),
    LabelStudio(),
    Via(),
    Cvat(),
    Supervisely(),
    LabelMe(),
    LabelMe3(),
    Cityscapes(),
    Kitti(),
    Camvid(),
    Voc(),
    CreateMl(),
    BoxTable(),
    VocBoxes(),
    YoloSeg(),
    Pictures(),
)
"""Annotations of whole sets first, then those of single images, then masks.

Of two that say the same of the same images, the earlier is read. The last is whatever has pictures.
"""


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """A format that an upload has; `files` are such by which it is known, where these are not pictures."""

    form: Format
    files: Sequence[Member] = ()


def format_named(name: str) -> Format:
    """The format of masks of that name; raises Refused for a name that no format has."""
    named = {one.name: one for one in FORMATS}
    if (offered := registered("format", name)) is not None:
        made: Format = offered.make()
        return made
    if name not in named:
        raise Refused(
            "format_unknown",
            f"There is no format {name[:100]!r}; the formats are {', '.join(DATASET_FORMATS)}.",
            "Name one of these, or leave the format out to have it found.",
        )
    return named[name]


def recognised(source: Source) -> list[Recognised]:
    """All formats that an upload has but the last, in the order of FORMATS.

    No file is looked at for one format that is known to be of another.
    """
    found = []
    rest: Source = source
    for form in FORMATS[:-1]:
        files = form.evidence(rest) if isinstance(form, Annotations) else ()
        if files or (not isinstance(form, Annotations) and form.recognises(rest)):
            found.append(Recognised(form=form, files=files))
            rest = without(rest, files)
    return found


def without(source: Source, files: Sequence[Member]) -> Source:
    """The source without these files."""
    taken = {member.path for member in files}
    return PartOf(source, [one for one in source.members if one.path not in taken]) if taken else source
