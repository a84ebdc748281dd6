"""Writes the last of a prepared set's objects: their classes by index, and what there is of them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trainyard.datasets.record import ObjectClass, ObjectSummary
from workers.ingest.problems import ProblemLog
from workers.ingest.reading.statistics import SampleCounts
from workers.prepared.version import PreparedClass

SIZES = ("small", "medium", "large")


def object_classes(classes: Sequence[PreparedClass]) -> list[PreparedClass]:
    """The classes that objects may have, numbered anew: all but the background, of the value 0."""
    kept = [info for info in classes if info.value != 0]
    return [
        PreparedClass(index=index, name=info.name, value=info.value, color=info.color)
        for index, info in enumerate(kept)
    ]


def recoded(counts_as: Mapping[int, int], classes: Sequence[PreparedClass], values: int) -> NDArray[np.int64]:
    """The index of the class of each of so many values as sent, -1 where it has none; `counts_as` says what
    values count as where that is another value."""
    index = {info.value: info.index for info in classes}
    return np.array([index.get(counts_as.get(value, value), -1) for value in range(values)], np.int64)


def check_lost(readings: Sequence[SampleCounts], log: ProblemLog) -> None:
    """Log an error where more objects are left out, of no area or beyond their image, than are read."""
    found = [reading.objects for reading in readings if reading.objects is not None]
    lost = sum(one.lost for one in found)
    kept = sum(sum(map(sum, one.values.values())) + one.crowds for one in found)
    if lost > kept:
        log.error(
            "objects_lost",
            None,
            f"{lost} of {lost + kept} objects have no area within their image.",
            "Export the annotations anew: their boxes are of other images, or of these at another size.",
        )


def summary(
    readings: Sequence[SampleCounts], classes: Sequence[PreparedClass], table: NDArray[np.int64]
) -> ObjectSummary:
    """What there is of the objects of a set, whose values as sent are classes by `table`."""
    objects: Counter[int] = Counter()
    images: Counter[int] = Counter()
    sizes, crowds, most, with_objects = np.zeros(3, np.int64), 0, 0, 0
    for reading in readings:
        if reading.objects is None:
            continue
        counted: Counter[int] = Counter()
        for value, by_size in reading.objects.values.items():
            if table[value] >= 0:
                counted[int(table[value])] += sum(by_size)
                sizes += by_size
        objects.update(counted)
        images.update(counted.keys())
        crowds += reading.objects.crowds
        most = max(most, counted.total())
        with_objects += bool(counted)
    return ObjectSummary(
        count=objects.total(),
        crowds=crowds,
        images=with_objects,
        most=most,
        sizes=dict(zip(SIZES, sizes.tolist(), strict=True)),
        classes=tuple(
            ObjectClass(
                index=info.index,
                name=info.name,
                value=info.value,
                color=info.color,
                objects=objects[info.index],
                images=images[info.index],
            )
            for info in classes
        ),
    )
