"""Which values of objects are which classes, in a set that has boxes and no masks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.classes.class_rules import listed_values
from workers.ingest.classes.similar_names import warn_of_like_classes
from workers.ingest.items import FoundSet
from workers.ingest.problems import ProblemLog
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts

_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class ObjectValues:
    """Names of the classes by value, in the order of their indices, and what values count as that are mapped
    to others; 0 is no object. All values are below `end`."""

    names: dict[int, str]
    counts_as: dict[int, int]
    end: int

    def mapped(self, readings: Sequence[SampleCounts]) -> list[SampleCounts]:
        """The readings with objects counted as what their values are mapped to, those of classes alone."""
        found = []
        for reading in readings:
            counts: Counter[int] = Counter()
            for value, count in reading.values.items():
                counts[self.counts_as.get(value, value)] += count
            kept = {value: count for value, count in counts.items() if value in self.names}
            found.append(replace(reading, values=kept))
        return found


def object_values(
    found: FoundSet, options: IngestOptions, readings: Sequence[SampleCounts], log: ProblemLog
) -> ObjectValues | None:
    """As the client says, or else the format; None, errors logged, where they do not fit the objects."""
    named = (found.names or {}) if options.classes is None else options.classes
    names = {value: name for value, name in sorted(named.items()) if value != 0}
    mapped = {
        value: NO_CLASS if target is None else target for value, target in (options.label_map or {}).items()
    }
    if options.ignore_value is not None:
        mapped[options.ignore_value] = NO_CLASS
    objects: Counter[int] = Counter()
    for reading in readings:
        for value, count in reading.values.items():
            objects[mapped.get(value, value)] += count
    strange = objects.keys() - names.keys() - {0, NO_CLASS}
    if strange:
        log.error(
            "unknown_value",
            None,
            f"{sum(objects[value] for value in strange)} object(s) have values that are no class: "
            f"{listed_values(strange)}.",
            "Name these, too, or map them to others with a label map; the classes are "
            f"{listed_values(names)}.",
        )
        return None
    if not objects.keys() & names.keys():
        log.error(
            "no_objects", None, "No object of a class is in the set.", "Annotate objects in the images."
        )
        return None
    absent = {value: name for value, name in names.items() if value not in objects}
    if absent:
        listed = ", ".join(f"{name!r} (value {value})" for value, name in list(absent.items())[:_LISTED])
        log.warning(
            "class_absent",
            None,
            f"No image has an object of {len(absent)} class(es): {listed}"
            f"{' and more' if len(absent) > _LISTED else ''}.",
            "Check the classes, or leave these out.",
        )
    warn_of_like_classes(names, log)
    return ObjectValues(names=names, counts_as=mapped, end=max((*names, *(found.names or {}), *objects)) + 1)
