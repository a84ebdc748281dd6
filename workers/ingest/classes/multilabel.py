"""Pixels of several classes: what the bits of such masks mean, and which rules a set of them keeps.

Masks of one class each are rasterized over one another as bit fields, since only the last of them tells
whether any overlap. Where none does, the set becomes one of one class per pixel, like any other.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.classes.class_rules import ClassRules
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reading.statistics import Meanings, SampleCounts
from workers.prepared.version import MAX_OVERLAPPING

NO_VALUE = frozenset({0})

ONE_VALUE: Meanings = {byte: frozenset({byte}) for byte in range(256)}
"""Each byte is a mask value."""


def bit_fields(readings: Collection[SampleCounts]) -> Meanings:
    """Of all combinations of bits that occur: bit c says that the pixel has the value c + 1; without any it
    has the value 0."""
    return {
        number: frozenset(bit + 1 for bit in range(number.bit_length()) if number >> bit & 1) or NO_VALUE
        for number in {0}.union(*(reading.values for reading in readings))
    }


def meanings(stored: Meanings, value_map: Sequence[int]) -> Meanings:
    """What each counts as once values are mapped; 0 beside another value counts for nothing."""
    mapped = {one: frozenset(value_map[value] for value in values) for one, values in stored.items()}
    return {one: values - NO_VALUE or NO_VALUE for one, values in mapped.items()}


def settled(
    rules: ClassRules | None,
    shown: Meanings,
    readings: Collection[SampleCounts],
    options: IngestOptions,
    log: ProblemLog,
) -> tuple[ClassRules | None, Meanings]:
    """The rules and meanings of a set, once it is known whether a pixel has several values.

    Where one has, a warning says so. Raises Refused as `several_per_pixel` does.
    """
    overlap = _overlap(shown, readings)
    if rules is None or not overlap:
        return rules, shown
    kept = several_per_pixel(rules, options)
    _warn_of_overlap(overlap, log)
    return kept, {one: values - NO_VALUE for one, values in shown.items()}


def several_per_pixel(rules: ClassRules, options: IngestOptions) -> ClassRules:
    """The rules of a set whose classes overlap; background is what has no class, and none itself.

    Raises Refused where there are too many classes, or some are to be ignored.
    """
    if options.ignore_value is not None or None in (options.label_map or {}).values():
        raise Refused(
            "multilabel_ignore",
            "Pixels of this set have several classes; no pixel of such a set can be ignored.",
            "Leave ignore_value out, and map values to 0 to drop them; or draw the classes without overlap.",
        )
    names = {value: name for value, name in rules.names.items() if value != 0}
    if len(names) > MAX_OVERLAPPING:
        raise Refused(
            "multilabel_overlap",
            f"{len(names)} classes are named and some overlap; at most {MAX_OVERLAPPING} can.",
            f"Name at most {MAX_OVERLAPPING} classes, or draw them without overlap.",
        )
    return replace(rules, names=names, ignore_value=None, task="multilabel")


def _overlap(shown: Meanings, readings: Collection[SampleCounts]) -> dict[str, int]:
    """Pixels of several values by the file of their mask, where there are any."""
    found = {
        reading.mask_file: sum(count for byte, count in reading.values.items() if len(shown[byte]) > 1)
        for reading in readings
    }
    return {file: count for file, count in found.items() if count}


def _warn_of_overlap(pixels: dict[str, int], log: ProblemLog) -> None:
    """Say that the set is held with several classes per pixel, and what that means."""
    file = max(pixels, key=lambda one: pixels[one])
    log.warning(
        "multilabel_overlap",
        file,
        f"{sum(pixels.values())} pixels of {len(pixels)} image(s) are in the masks of several classes, "
        f"{pixels[file]} of them here: the set is kept as multilabel, for runs of that task.",
        "Train it with the task multilabel; or, for one class per pixel, merge classes with a label map.",
    )
