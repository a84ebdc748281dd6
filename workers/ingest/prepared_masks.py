"""Recodes rasterized masks to class indices or bits, once it is known what their values count as."""

from collections.abc import Collection, Sequence

import numpy as np

from workers.ingest.classes.class_rules import ClassRules
from workers.ingest.reading.statistics import Meanings, SampleCounts
from workers.prepared.planes import BITS, bit_of, planes_of, recoded
from workers.prepared.version import IGNORE_INDEX, PreparedWriter, Uint8


def recode_masks(
    rules: ClassRules,
    shown: Meanings,
    applied: Sequence[int],
    readings: Collection[SampleCounts],
    writer: PreparedWriter,
) -> bytes:
    """Recode all masks in place, where that changes any; 256 bytes that tell what was done.

    `shown` is what each byte or combination of bits means, `applied` what each value as rasterized counts as,
    `readings` count what occurs as rasterized.
    """
    if writer.mask_planes == planes_of(len(rules.names) if rules.task == "multilabel" else 1) == 1:
        table = rules.table(shown)
        if any(table[byte] != byte for reading in readings for byte in reading.values):
            writer.recode_masks(table)
        return table
    index = {value: place for place, value in enumerate(rules.names)}
    bits = [index.get(value, IGNORE_INDEX) for value in applied]
    if rules.task == "multilabel":
        _recode_bits(bits, len(index), writer)
    else:
        _recode_single(bits, applied, index.get(0, IGNORE_INDEX), writer)
    return bytes(bits)


def _recode_bits(bits: Sequence[int], classes: int, writer: PreparedWriter) -> None:
    """`bits` has the class of each value; bit c of a rasterized mask is the value c + 1."""
    sources: dict[int, list[int]] = {}
    for value, place in enumerate(bits):
        if value and place != IGNORE_INDEX:
            sources.setdefault(place, []).append(value - 1)
    planes = writer.mask_planes
    kept = {place: [bit for bit in own if bit < BITS * planes] for place, own in sources.items()}
    writer.recode_planes(planes_of(classes), lambda masks: recoded(masks, planes, kept, classes))


def _recode_single(
    bits: Sequence[int], applied: Sequence[int], background: int, writer: PreparedWriter
) -> None:
    """To indices: no pixel has two classes; what counts as the background is beneath all others."""
    planes = writer.mask_planes

    def single(masks: Uint8) -> Uint8:
        found = np.full(len(masks), background, np.uint8)
        for bit in range(min(BITS * planes, len(applied) - 1)):
            if applied[bit + 1] != 0:
                found[bit_of(masks, bit, planes)] = bits[bit + 1]
        return found

    writer.recode_planes(1, single)
