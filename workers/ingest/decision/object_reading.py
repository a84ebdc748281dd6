"""Masks of ids of objects become masks of one class."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainyard.datasets.record import IngestOptions
from workers.ingest.classes.class_names import foreground
from workers.ingest.classes.class_rules import ClassRules, are_ids
from workers.ingest.items import FoundSet, Source
from workers.ingest.masks.object_ids import Sureness, one_piece, sureness
from workers.ingest.masks.object_question import ask_objects
from workers.ingest.pictures.mask_files import LARGEST_ID, WHITE
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reading.statistics import NO_CLASS, Reading
from workers.prepared.version import Uint8

OBJECT = "object"
_FULL = 200
"""Ids up to here leave 255 free, which then marks pixels that are of no object."""

_WHY = "The values begin anew in each image, how many there are differs, and nearly each is one piece."


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen in the masks of a set: readings, and the mask, (H, W), of each by its number."""

    readings: Sequence[Reading]
    masks: Callable[[int], Uint8]

    @property
    def values(self) -> set[int]:
        """The values that occur."""
        return {value for reading in self.readings for value in reading.values}

    def sureness(self, values: Collection[int]) -> Sureness | None:
        """How sure it is that these values are ids of objects."""
        kept = {*values, 0}
        shown = [{v: n for v, n in reading.values.items() if v in kept} for reading in self.readings]

        def pieces(numbers: Collection[int]) -> float:
            counted = [one_piece(_without(self.masks(number), values)) for number in numbers]
            single, looked_at = np.sum(counted, axis=0)
            return float(single / looked_at) if looked_at else 0.0

        return sureness(shown, pieces)


def is_one_class(
    found: FoundSet,
    rules: ClassRules | None,
    options: IngestOptions,
    evidence: Evidence,
    source: Source,
    log: ProblemLog,
) -> bool:
    """Whether the masks' values are ids of objects of one class; what is concluded so is logged, and where
    both fit it is asked."""
    if found.bit_fields:
        return False
    if options.objects is not None or found.objects:
        return found.objects or options.objects == "one_class"
    values = evidence.values - {0, options.ignore_value}
    if are_ids(values - {WHITE} or {0}):
        values -= {WHITE}
    ruled_out = options.label_map or _is_black_and_white(evidence.readings)
    if ruled_out or len(values) < 2 or _are_named(values, rules, found):
        return False
    sure = evidence.sureness(values)
    if sure == "certain":
        log.guess(
            f"the values of the masks are ids of objects, and all objects are one class: {_WHY.lower()}"
        )
    if sure != "likely":
        return sure is not None
    members = {member.path: member for member in source.members}
    couples = [(item.image, members[item.truth.file]) for item in found.items if item.truth.file in members]
    return ask_objects(source.read, couples, _WHY, _all_named(rules, values), log)


def _are_named(values: Collection[int], rules: ClassRules | None, found: FoundSet) -> bool:
    """Whether names say that the values are classes: several by value, or as many as there are values."""
    if rules is None:
        return bool(found.listed) and max(values) <= len(found.listed)
    several = len(foreground(rules.names)) > 1
    return several or set(values) <= rules.names.keys()


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
