"""Which kinds of annotation a set has whose objects are annotated one by one."""

from collections.abc import Iterable

from trainyard.datasets.record import MASKS, Kind
from workers.ingest.classes.class_rules import MAX_CLASSES
from workers.ingest.problems import ProblemLog
from workers.ingest.regions.drawn_objects import NO_OBJECTS
from workers.ingest.regions.masks import Region

PAINTED_BOXES: tuple[Kind, ...] = ("boxes", "masks")
"""Those of boxes that are rasterized, too, since tools let draw them around what is rectangular."""
INSTANCES: tuple[Kind, ...] = ("masks", "boxes", "outlines")


class KindCounts:
    """Counts the objects of a set that are outlined, and those that have a box alone."""

    def __init__(self) -> None:
        self.outlined = 0
        self.boxes = 0

    def count(self, regions: Iterable[Region]) -> None:
        """Count the objects among some regions."""
        for region in regions:
            if region.label not in NO_OBJECTS:
                self.outlined += region.outlined
                self.boxes += not region.outlined

    def kinds(self, boxes_alone: tuple[Kind, ...]) -> tuple[Kind, ...]:
        """The kinds of the set; `boxes_alone` are those of one in which nothing is outlined."""
        if not self.outlined:
            return boxes_alone if self.boxes else MASKS
        return ("masks", "boxes") if self.boxes else INSTANCES


def unpainted(kinds: tuple[Kind, ...], classes: int, log: ProblemLog) -> tuple[Kind, ...]:
    """The kinds of a set of more classes than a mask can tell apart, which has none."""
    if "masks" in kinds:
        log.warning(
            "masks_unpainted",
            None,
            f"There are {classes} classes with the background, and masks tell at most {MAX_CLASSES} apart: "
            "the set has objects, and no masks.",
            "Nothing, to detect objects; else merge classes, or leave out those that are not used.",
        )
    return tuple(kind for kind in kinds if kind != "masks")
