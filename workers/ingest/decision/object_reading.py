"""Masks of ids of objects become masks of one class."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainyard.datasets.record import IngestOptions
from workers.ingest.classes.class_names import foreground
from workers.ingest.classes.class_rules import ClassRules, are_ids
from workers.ingest.decision.value_map import LabelMap
from workers.ingest.items import FoundSet, Source
from workers.ingest.masks.objects.object_ids import (
    PLAIN,
    PLAIN_NAMED,
    Sureness,
    background_of,
    share_of_one_piece,
    sureness,
)
from workers.ingest.masks.objects.object_question import ONE_CLASS, ask_objects
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts
from workers.prepared.version import Uint8

OBJECT = "object"
_FULL = 200
"""Ids up to here leave 255 free, which then marks pixels that are of no object."""

_WHY = "The values begin anew in each image, how many there are differs, and nearly each is one piece."


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen in the masks of a set: readings, and the mask, (H, W), of each by its number."""

    readings: Sequence[SampleCounts]
    masks: Callable[[int], Uint8]

    @property
    def values(self) -> set[int]:
        """The values that occur."""
        return {value for reading in self.readings for value in reading.values}

    def background(self, ignore_value: int | None) -> int | None:
        """The value that lies between objects, if these are what the masks show."""
        return background_of(
            [{v: n for v, n in reading.values.items() if v != ignore_value} for reading in self.readings]
        )

    def sureness(self, values: Collection[int], background: int, plain: int) -> Sureness | None:
        """How sure it is that these values are ids of objects; see `object_ids.sureness`."""
        kept = {*values, background}
        shown = [{v: n for v, n in reading.values.items() if v in kept} for reading in self.readings]

        def pieces(numbers: Collection[int]) -> float:
            masks = (_without(self.masks(number), values, background) for number in numbers)
            return share_of_one_piece(masks, background)

        return sureness(shown, pieces, background=background, plain=plain)


def label_map_of_objects(
    found: FoundSet,
    rules: ClassRules | None,
    options: IngestOptions,
    evidence: Evidence,
    source: Source,
    log: ProblemLog,
) -> LabelMap | None:
    """The label map to apply if the masks' values are ids of objects of one class, which is empty where 0 is
    the background; None where they are classes.

    What is concluded so is logged; where both fit it is asked.
    """
    if found.bit_fields:
        return None
    if options.objects is not None or found.objects:
        return (options.label_map or {}) if found.objects or options.objects == "one_class" else None
    background = evidence.background(options.ignore_value)
    if options.label_map or background is None or _is_black_and_white(evidence.readings):
        return None
    values = evidence.values - {background, options.ignore_value}
    if background != WHITE and are_ids(values - {WHITE} or {0}):
        values -= {WHITE}
    named = rules is not None or bool(found.listed)
    if len(values) < 2 or _are_named(values, rules, found) or (background and named):
        return None
    sure = evidence.sureness(values, background, PLAIN_NAMED if named else PLAIN)
    if sure == "certain" and not (background or WHITE in values):
        log.guess(
            f"the values of the masks are ids of objects, and all objects are one class: {_WHY.lower()}"
        )
        return {}
    label_map = _without_background(background, values)
    if sure is None or not _asked(background, values, label_map, rules, found, source, log):
        return None
    return label_map


def _asked(
    background: int,
    values: Collection[int],
    label_map: LabelMap,
    rules: ClassRules | None,
    found: FoundSet,
    source: Source,
    log: ProblemLog,
) -> bool:
    """Whether to go on with one class."""
    members = {member.path: member for member in source.members}
    couples = [(item.image, members[item.truth.file]) for item in found.items if item.truth.file in members]
    mapped = {"label_map": {str(value): target for value, target in label_map.items()}} if label_map else {}
    as_objects = {**ONE_CLASS, **mapped}
    return ask_objects(
        source.read,
        couples,
        _WHY,
        _all_named(rules, values),
        log,
        background=background,
        as_objects=as_objects,
    )


def _without_background(background: int, values: Collection[int]) -> LabelMap:
    """The label map that makes 0 the background, and no object 0."""
    if background == 0:
        return {}
    return {background: 0, **({0: 1} if 0 in values else {})}


def _are_named(values: Collection[int], rules: ClassRules | None, found: FoundSet) -> bool:
    """Whether names say that the values are classes: several by value, or as many as there are values."""
    if rules is None:
        return bool(found.listed) and max(values) <= len(found.listed)
    several = len(foreground(rules.names)) > 1
    return several or set(values) <= rules.names.keys()


def _is_black_and_white(readings: Sequence[SampleCounts]) -> bool:
    """Whether masks have white for objects, and other values on smoothed edges alone."""
    total: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
    return min(total[0], total[WHITE]) > total.total() - total[0] - total[WHITE]


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
    rules: ClassRules,
    applied: Sequence[int],
    readings: Collection[SampleCounts],
    log: ProblemLog,
    *,
    cut_off: bool,
) -> list[int]:
    """The map `applied` of values, with all objects counted as the one class. With `cut_off`, ids above
    LARGEST_ID were made that, and 255 is what the masks have for no class.

    255 is no class where ids end far below it, or were cut off there. Else it is one more object: ids spread
    over 8 bits for viewing end with it.
    """
    target = next(value for value in rules.names if value != 0)
    values = {value for reading in readings for value in reading.values}
    ids = values - {0, WHITE}
    apart = bool(ids) and ((max(ids) <= _FULL and are_ids(ids)) or cut_off)
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


def _without(mask: Uint8, values: Collection[int], background: int) -> Uint8:
    """The mask with the background for all but these values."""
    table = np.full(256, background, np.uint8)
    for value in values:
        table[value] = value
    return table[mask]


def _all_named(rules: ClassRules | None, values: Collection[int]) -> Mapping[str, Any]:
    """Options that name a class for each value."""
    if rules is None:
        return {}
    names = {value: f"class_{value}" for value in sorted(values)} | rules.names
    return {"classes": {str(value): name for value, name in sorted(names.items())}}
