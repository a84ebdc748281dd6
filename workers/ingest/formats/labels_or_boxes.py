"""Asks what is meant where a table has one box in each image, and folders name the classes of whole images.

So do sets of traffic signs and of faces, whose boxes say where to cut: what they train is not in the files.
"""

from collections.abc import Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.catalogue import Recognised
from workers.ingest.items import FoundSet, LabelFormat, Source
from workers.ingest.labels.choice import label_formats
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.regions.truth import FractionsTruth, RegionsTruth

_TABLES = "box_table"


def labels_beside(
    boxes: Sequence[Recognised], source: Source, options: IngestOptions, log: ProblemLog
) -> list[LabelFormat]:
    """The formats of labels to read in place of tables of boxes; none where the boxes are meant."""
    if not boxes or any(one.form.name != _TABLES for one in boxes):
        return []
    labels = label_formats(source, has_annotations=False)
    found = boxes[0].form.read(source, options, ProblemLog("assume")) if labels else None
    if found is None or not _has_one_each(found):
        return []
    first = labels[0]
    labelled = first.read(source, options, ProblemLog("assume"))
    if labelled is None:
        return []
    offers = [
        Offer(
            key=first.name,
            text=f"{len(labelled.items)} images of {len(labelled.names)} classes: {labelled.classes}",
            count=len(labelled.items),
            options={"format": first.name},
            examples=list(labelled.names),
        ),
        Offer(
            key=_TABLES,
            text=f"{len(found.items)} images with one box each",
            count=len(found.items),
            options={"format": _TABLES},
            examples=[item.image.path for item in found.items],
        ),
    ]
    text = (
        "A table has one box in each image, whose classes something else names, too. Which is to be trained?"
    )
    return labels if log.ask("format", text, offers) == first.name else []


def _has_one_each(found: FoundSet) -> bool:
    """Whether each image has one object."""
    truths = [item.truth for item in found.items]
    return all(isinstance(one, RegionsTruth | FractionsTruth) and len(one.regions) == 1 for one in truths)
