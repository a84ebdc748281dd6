"""Writes the objects of masks whose values turned out, once all were read, to be ids of objects."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workers.ingest.formats.annotations.kinds import INSTANCES
from workers.ingest.masks.objects.instances import numbered_objects
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts, count_objects
from workers.prepared.version import PreparedWriter, Sample


def with_objects(
    readings: Sequence[SampleCounts],
    samples: Sequence[Sample],
    applied: Sequence[int],
    writer: PreparedWriter,
) -> tuple[list[SampleCounts], list[Sample]]:
    """The same with their objects, which are written: each value of a mask that counts as the class, by
    `applied`, is one. Masks are still as sent."""
    writer.begin_objects(INSTANCES)
    is_object = np.array([value not in (0, NO_CLASS) for value in applied], np.bool_)
    labels = [next((v for v in range(1, len(applied)) if is_object[v]), 0)] * (len(applied) + 1)
    crowds = [False] * len(labels)
    told, placed = [], []
    for reading, sample in zip(readings, samples, strict=True):
        mask = writer.mask(sample)
        plane = np.where(is_object[mask], mask.astype(np.uint16) + 1, 0)
        found = numbered_objects(plane, labels, crowds)
        first = writer.write_objects(found.objects, found.outlines)
        placed.append(replace(sample, first_object=first, objects=len(found.objects)))
        told.append(replace(reading, objects=count_objects(found)))
    return told, placed
