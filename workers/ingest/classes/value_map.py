"""What mask values count as before classes are looked at: smoothed edges made hard, the client's label map.

A value map has 256 entries: the value that each value counts as, or NO_CLASS where it is ignored.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from workers.ingest.classes.class_rules import ClassRules, listed_values
from workers.ingest.pictures.mask_files import HALF, WHITE
from workers.ingest.problems import ProblemLog
from workers.ingest.reading.statistics import NO_CLASS, Reading

SOFT_VALUES = 16
SOFT_SHARE = 0.9
"""A mask has soft edges where more values than SOFT_VALUES occur and 0 and 255 cover this share of it."""

LEVEL_SHARE = 1e-3
"""A level, which may be a class, has at least this share of the set's pixels."""

NEAR = 24
"""How far noise takes values away from a level."""

_FEW_LEVELS = 3
_MOSTLY = 0.5

LabelMap = dict[int, int | None]

UNCHANGED = list(range(256))
"""The value map in which each value counts as itself."""


def label_mapped(
    hard: Sequence[int],
    label_map: Mapping[int, int | None] | None,
    readings: Collection[Reading],
    log: ProblemLog,
) -> list[int]:
    """The map `hard`, with what the label map says in the place of what it has."""
    named = label_map or {}
    _warn_of_absent(named, {value for reading in readings for value in reading.values}, log)
    return [_or_no_class(named.get(value, value)) for value in hard]


def _warn_of_absent(named: Collection[int], seen: Collection[int], log: ProblemLog) -> None:
    absent = sorted(set(named) - set(seen))
    if absent and not log.has_errors:  # they may be in what could not be read
        log.warning(
            "label_map_absent",
            None,
            f"No mask has a pixel of {len(absent)} value(s) of the label map: {listed_values(absent)}.",
            f"Check the label map: it goes by the values as sent, which are {listed_values(seen)}.",
        )


def hardened(rules: ClassRules | None, readings: Collection[Reading], log: ProblemLog) -> list[int]:
    """The values, but part all values at HALF into 0 and 255 where masks of these two were smoothed."""
    whites = any(WHITE in reading.values for reading in readings)
    soft = [reading for reading in readings if whites and _is_soft(reading)]
    named = set(rules.names) if rules else set()
    if not soft or any(1 < value < WHITE for value in named):
        return UNCHANGED  # values between are classes, or the check of values names them
    if all(_plain_share(reading) >= SOFT_SHARE for reading in readings):
        if _has_level_between(readings):
            return UNCHANGED
        for reading in soft:
            log.warning(
                "mask_soft_edges",
                reading.mask_file,
                f"The mask has {len(reading.values)} different values, nearly all pixels being 0 or 255: its "
                f"edges are smoothed. Values from {HALF} on are taken as 255, the others as 0.",
                "Nothing, if that is meant; else save it without smoothing.",
            )
        return [WHITE if value >= HALF else 0 for value in UNCHANGED]
    for reading in soft:
        log.error(
            "mask_soft_edges",
            reading.mask_file,
            f"The mask has {len(reading.values)} different values, nearly all pixels being 0 or 255: its "
            "edges are smoothed. Other masks of the set have more classes than these two.",
            "Save it without smoothing (nearest neighbour).",
        )
    return UNCHANGED


def _has_level_between(readings: Collection[Reading]) -> bool:
    """Whether, of the values between 0 and 255 and not near to these, a few have most pixels: on edges, all
    have about as many."""
    total: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
    between = Counter({value: count for value, count in total.items() if NEAR < value < WHITE - NEAR})
    most = sum(count for _, count in between.most_common(_FEW_LEVELS))
    return most >= max(_MOSTLY * between.total(), LEVEL_SHARE * total.total())


def _is_soft(reading: Reading) -> bool:
    return len(reading.values) > SOFT_VALUES and _plain_share(reading) >= SOFT_SHARE


def _plain_share(reading: Reading) -> float:
    plain = reading.values.get(0, 0) + reading.values.get(WHITE, 0)
    return plain / (reading.height * reading.width)


def _or_no_class(value: int | None) -> int:
    return NO_CLASS if value is None else value
