"""Writes the index of a prepared set of boxes without masks, and sums it up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trainyard.datasets.record import ClassInfo, DatasetSummary, ObjectSummary
from workers.ingest.classes.class_rules import ClassRules
from workers.ingest.decision.object_values import ObjectValues
from workers.ingest.prepared_objects import object_classes, recoded, summary
from workers.ingest.reading.statistics import SampleCounts, channel_statistics, content_hash, size_counts
from workers.ingest.splits import assignment as splits
from workers.prepared.version import PreparedWriter, Sample


def finish(
    values: ObjectValues,
    readings: Sequence[SampleCounts],
    samples: Sequence[Sample],
    places: Mapping[str, splits.Place],
    writer: PreparedWriter,
) -> DatasetSummary:
    """Write the index; the set is sound."""
    classes = object_classes(ClassRules(names=values.names, ignore_value=None).prepared())
    table = recoded(values.counts_as, classes, values.end)
    samples = writer.recode_objects(table, samples)
    where = {name: (place.split, place.fold) for name, place in places.items()}
    mapped = repr(sorted(values.counts_as.items())).encode()
    digest = content_hash("multiclass", classes, b"boxes" + mapped, readings, where)
    mean, std = channel_statistics(readings)
    placed = [
        replace(
            sample,
            split=where[sample.name][0],
            fold=where[sample.name][1],
            classes=tuple(sorted({int(table[value]) for value in reading.values} - {-1})),
            digest=reading.image_sha256[:16],
        )
        for sample, reading in zip(samples, readings, strict=True)
    ]
    writer.write_index(placed, classes, mean, std, digest, object_classes=classes)
    objects = summary(readings, classes, table)
    return DatasetSummary(
        content_hash=digest,
        images=len(readings),
        splits=splits.counts(places),
        classes=_infos(objects),
        ignore_share=0.0,
        sizes=size_counts(readings),
        mean=mean,
        std=std,
        kinds=writer.kinds,
        objects=objects,
        folds=len({place.fold for place in places.values()} - {None}) or None,
    )


def _infos(objects: ObjectSummary) -> tuple[ClassInfo, ...]:
    return tuple(
        ClassInfo(
            index=one.index,
            name=one.name,
            value=one.value,
            color=one.color,
            pixels=one.objects,
            share=one.objects / objects.count,
            images=one.images,
        )
        for one in objects.classes
    )
