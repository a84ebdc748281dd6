"""Writes the last of a prepared set of masks: its index."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trainyard.datasets.record import DatasetSummary, ObjectSummary
from workers.ingest.classes import class_rules as classes
from workers.ingest.prepared_objects import object_classes, recoded, summary
from workers.ingest.reading.statistics import (
    SampleCounts,
    channel_statistics,
    class_infos,
    content_hash,
    size_counts,
)
from workers.ingest.splits import assignment as splits
from workers.prepared.version import PreparedClass, PreparedWriter, Sample


def finish(
    rules: classes.ClassRules,
    table: bytes,
    applied: Sequence[int],
    readings: Sequence[SampleCounts],
    samples: Sequence[Sample],
    places: Mapping[str, splits.Place],
    writer: PreparedWriter,
) -> DatasetSummary:
    """Write the index of a sound set whose masks are recoded.

    `table` tells what became of them, `applied` is what each value counts as, `readings` count the values
    that the masks mean.
    """
    prepared = rules.prepared()
    where = {name: (place.split, place.fold) for name, place in places.items()}
    things: list[PreparedClass] = []
    objects: ObjectSummary | None = None
    if "boxes" in writer.kinds:
        things = object_classes(prepared)
        values = recoded(dict(enumerate(applied)), things, len(applied))
        samples = writer.recode_objects(values, samples)
        objects = summary(readings, things, values)
    digest = content_hash(rules.task, prepared, table, readings, where)
    mean, std = channel_statistics(readings)
    index = {info.value: info.index for info in prepared}
    placed = [
        replace(
            sample,
            split=where[sample.name][0],
            fold=where[sample.name][1],
            classes=tuple(sorted(index[value] for value in reading.values if value in index)),
            digest=reading.image_sha256[:16],
        )
        for sample, reading in zip(samples, readings, strict=True)
    ]
    writer.write_index(placed, prepared, mean, std, digest, rules.task, object_classes=things)
    infos, ignore_share = class_infos(prepared, readings)
    return DatasetSummary(
        content_hash=digest,
        images=len(readings),
        splits=splits.counts(places),
        classes=infos,
        ignore_share=ignore_share,
        sizes=size_counts(readings),
        mean=mean,
        std=std,
        task=rules.task,
        kinds=writer.kinds,
        objects=objects,
        folds=len({place.fold for place in places.values()} - {None}) or None,
    )
