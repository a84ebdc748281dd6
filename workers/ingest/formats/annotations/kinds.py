"""Which kinds of annotation a set has whose objects are annotated one by one."""

from collections.abc import Iterable

from trainyard.datasets.record import MASKS, Kind
from workers.ingest.regions.drawn_objects import NO_OBJECTS
from workers.ingest.regions.masks import Region

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

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of the set, where boxes are painted, too, since they may be drawn around what is
        rectangular; what they are made for comes first."""
        if not self.outlined:
            return ("boxes", "masks") if self.boxes else MASKS
        return ("masks", "boxes") if self.boxes else INSTANCES
