"""All formats, and which of them an upload is of."""

from workers.ingest.formats.base import Format, Source
from workers.ingest.formats.camvid import Camvid
from workers.ingest.formats.cityscapes import Cityscapes
from workers.ingest.formats.coco import Coco
from workers.ingest.formats.coco_panoptic import CocoPanoptic
from workers.ingest.formats.cvat import Cvat
from workers.ingest.formats.kitti import Kitti
from workers.ingest.formats.label_studio import LabelStudio
from workers.ingest.formats.labelme import LabelMe
from workers.ingest.formats.labelme3 import LabelMe3
from workers.ingest.formats.mapillary import Mapillary
from workers.ingest.formats.pictures import Pictures
from workers.ingest.formats.supervisely import Supervisely
from workers.ingest.formats.via import Via
from workers.ingest.formats.voc import Voc
from workers.ingest.formats.yolo_seg import YoloSeg
from workers.ingest.problems import Refused

FORMATS: tuple[Format, ...] = (
    Coco(),
    Mapillary(),
    CocoPanoptic(),
    LabelStudio(),
    Supervisely(),
    LabelMe(),
    Via(),
    LabelMe3(),
    Cvat(),
    Cityscapes(),
    Kitti(),
    Camvid(),
    Voc(),
    YoloSeg(),
    Pictures(),
)
"""In order of trial. The last takes whatever has pictures."""


def find_format(source: Source, name: str | None) -> Format:
    """The format of that name, or with None the first that recognises the upload.

    Raises Refused for a name that no format has.
    """
    if name is None:
        return next((one for one in FORMATS if one.recognises(source)), FORMATS[-1])
    named = {one.name: one for one in FORMATS}
    if name not in named:
        raise Refused(
            "format_unknown",
            f"There is no format {name[:100]!r}; the formats are {', '.join(named)}.",
            "Name one of these, or leave the format out to have it found.",
        )
    return named[name]
