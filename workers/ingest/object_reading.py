"""Masks of ids of objects become masks of one class."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from trainyard.datasets import IngestOptions
from workers.ingest.class_names import foreground
from workers.ingest.classes import ClassRules, are_ids
from workers.ingest.formats.base import FoundSet, Source
from workers.ingest.masks import LARGEST_ID, WHITE
from workers.ingest.object_ids import one_piece, sureness
from workers.ingest.object_question import ask_objects
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.statistics import NO_CLASS, Reading
from workers.prepared import Uint8

OBJECT = "object"
_FULL = 200
"""Ids up to here leave 255 free, which then marks pixels that are of no object."""

_WHY = "The values begin anew in each image, how many there are differs, and nearly each is one piece."


def is_one_class(
    found: FoundSet,
    rules: ClassRules | None,
    options: IngestOptions,
    readings: Sequence[Reading],
    masks: Callable[[int], Uint8],
    source: Source,
    log: ProblemLog,
) -> bool:
    """Whether the masks' values, by `readings` in the order of `masks`, are ids of objects of one class.

    What is concluded so is logged; where both fit it is asked.
    """
    if options.objects is not None or found.objects:
        return found.objects or options.objects == "one_class"
    names = rules.names if rules is not None else found.listed or {}
    named = foreground(names)
    values = {value for reading in readings for value in reading.values} - {0, options.ignore_value}
    if are_ids(values - {WHITE} or {0}):
        values -= {WHITE}
    beyond = values - set(names if rules is not None else range(len(names) + 1))
    if (
        found.bit_fields
        or _is_black_and_white(readings)
        or options.label_map
        or len(values) < 2
        or (len(named) > 1 and not (rules is None and beyond))
        or (named and not beyond)
    ):
        return False

    def pieces(numbers: Collection[int]) -> float:
        counted = [one_piece(_without(masks(number), values)) for number in numbers]
        single, looked_at = np.sum(counted, axis=0)
        return float(single / looked_at) if looked_at else 0.0

    shown = [{v: n for v, n in reading.values.items() if v in values | {0}} for reading in readings]
    sure = sureness(shown, pieces)
    if sure is None:
        return False
    if sure == "certain":
        log.guess(
            f"the values of the masks are ids of objects, and all objects are one class: {_WHY.lower()}"
        )
        return True
    members = {member.path: member for member in source.members}
    images = {item.truth.file: item.image for item in found.items}
    couples = [
        (images[reading.mask_file], members[reading.mask_file])
        for reading in readings
        if reading.mask_file in members
    ]
    return ask_objects(source.read, couples, _WHY, _all_named(rules, values), log)


def _is_black_and_white(readings: Sequence[Reading]) -> bool:
    """Whether masks have white for objects, and other values on smoothed edges alone."""
    total: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
    plain = total[0] + total[WHITE]
    return total[WHITE] > sum(total.values()) - plain


def one_class_rules(rules: ClassRules | None, found: FoundSet, ignore_value: int | None) -> ClassRules:
    """The rules of a set of one class of objects; raises Refused where several are named."""
    if rules is None:
        named = foreground(found.listed)
        name = named[0] if len(named) == 1 else OBJECT
        return ClassRules(
            names={0: "background", 1: name},
            ignore_value=found.ignore_value if ignore_value is None else ignore_value,
            origin="ids of objects, taken as one class",
        )
    if len([value for value in rules.names if value != 0]) != 1:
        raise Refused(
            "objects_classes",
            f"The objects are to be one class, and {len(rules.names)} classes are named.",
            "Name the background, 0, and one class; or send `objects: classes`.",
        )
    return rules


def joined(
    rules: ClassRules, applied: Sequence[int], readings: Collection[Reading], log: ProblemLog
) -> list[int]:
    """The map `applied` of values, with all objects counted as the one class.

    255 is no class where it stands apart from all ids, or where these were cut off below it.
    """
    target = next(value for value in rules.names if value != 0)
    values = {value for reading in readings for value in reading.values}
    ids = values - {0, WHITE}
    apart = bool(ids) and (max(ids) <= _FULL or max(ids) == LARGEST_ID)
    is_void = WHITE in values and apart and rules.ignore_value is None
    if is_void and applied[WHITE] == WHITE:
        log.warning(
            "ignore_guessed",
            None,
            "The value 255 stands beside ids of objects and is taken as: no class, ignored.",
            'If it is an object, send the label map {"255": 1}.',
        )
    kept = {0, NO_CLASS, rules.ignore_value}
    whole = [value if value in kept else target for value in applied]
    if is_void and applied[WHITE] == WHITE:
        whole[WHITE] = NO_CLASS
    return whole


def _without(mask: Uint8, values: Collection[int]) -> Uint8:
    """The mask with 0 for all but these values."""
    table = np.zeros(256, np.uint8)
    for value in values:
        table[value] = value
    return table[mask]


def _all_named(rules: ClassRules | None, values: Collection[int]) -> Mapping[str, Any]:
    """Options that name a class for each value."""
    if rules is None:
        return {}
    names = {value: f"class_{value}" for value in sorted(values)} | rules.names
    return {"classes": {str(value): name for value, name in sorted(names.items())}}
