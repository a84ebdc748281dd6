"""Writes the index of a prepared set of labels, and sums it up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from trainyard.datasets.record import ClassInfo, DatasetSummary, Kind
from workers.ingest.classes.class_rules import ClassRules
from workers.ingest.items import LabelledSet
from workers.ingest.reading.statistics import SampleCounts, channel_statistics, content_hash, size_counts
from workers.ingest.splits import assignment as splits
from workers.prepared.version import PreparedClass, PreparedWriter, Sample

KINDS: tuple[Kind, ...] = ("labels",)


def finish(
    found: LabelledSet,
    readings: Sequence[SampleCounts],
    samples: Sequence[Sample],
    places: Mapping[str, splits.Place],
    writer: PreparedWriter,
) -> DatasetSummary:
    """Write the index; the set is sound."""
    prepared = ClassRules(names=dict(enumerate(found.names)), ignore_value=None).prepared()
    where = {name: (place.split, place.fold) for name, place in places.items()}
    digest = content_hash(found.task, prepared, b"labels", readings, where)
    mean, std = channel_statistics(readings)
    placed = [
        replace(
            sample,
            split=where[sample.name][0],
            fold=where[sample.name][1],
            classes=tuple(sorted(reading.values)),
            digest=reading.image_sha256[:16],
        )
        for sample, reading in zip(samples, readings, strict=True)
    ]
    writer.write_index(placed, prepared, mean, std, digest, found.task)
    return DatasetSummary(
        content_hash=digest,
        images=len(readings),
        splits=splits.counts(places),
        classes=_infos(prepared, readings),
        ignore_share=0.0,
        sizes=size_counts(readings),
        mean=mean,
        std=std,
        task=found.task,
        kinds=KINDS,
        folds=len({place.fold for place in places.values()} - {None}) or None,
    )


def _infos(classes: Sequence[PreparedClass], readings: Sequence[SampleCounts]) -> tuple[ClassInfo, ...]:
    counts = Counter(label for reading in readings for label in reading.values)
    return tuple(
        ClassInfo(
            index=info.index,
            name=info.name,
            value=info.value,
            color=info.color,
            pixels=counts[info.index],
            share=counts[info.index] / counts.total(),
            images=counts[info.index],
        )
        for info in classes
    )
