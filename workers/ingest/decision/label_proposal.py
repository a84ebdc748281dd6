"""A label map for masks whose values are not those of the named classes, where one can be told honestly."""

from collections.abc import Collection, Sequence

from workers.ingest.classes.class_rules import ClassRules, are_ids
from workers.ingest.decision.value_map import LabelMap
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts

MOST_STRAY = 3
"""A proposal ignores so many values at most: of more, they are classes that nobody has named."""

STRAY_SHARE = 0.2
"""Values that no class has are stray among others, not a sign of another numbering, up to this share."""

LISTED = 10
"""Values of a proposal that a remedy tells; all are in the proposal itself."""


def proposal(
    rules: ClassRules,
    applied: Sequence[int],
    readings: Collection[SampleCounts],
    mapped: Collection[SampleCounts],
) -> LabelMap | None:
    """A label map by which the masks fit the named classes; None where they fit, or any would be a guess.

    `readings` have values as sent, `mapped` what they count as by the map `applied`. The proposal takes the
    place of the label map that was applied. It is, of these rules, what the first that holds says:

    - 255 beside class ids is ignored, and the rules below are about the others;
    - values 1 to n, all there, where the classes are 0 to n - 1: each moves down by one;
    - as many values as classes, as with 0 and 255 or with gaps: they take the classes in order. Not so where
      the values that no class has are at most STRAY_SHARE of all, since the named ones then mean what they
      say, nor where 0 is the only one, since that is what masks show where nothing is labelled;
    - at most MOST_STRAY values that no class has, fewer than the classes that occur, of which there are two
      at least: what fits is kept, the others are ignored. Not so where one class beside 0 is named and the
      others come next to it, since they may be ids of more objects of it.
    """
    seen = {value for reading in mapped for value in reading.values} - {rules.ignore_value, NO_CLASS}
    if seen <= set(rules.names):
        return None
    moved = _moved(sorted(rules.names), seen)
    if moved is None:
        return None
    sent = {value for reading in readings for value in reading.values}
    whole = {value: moved.get(applied[value], _or_none(applied[value])) for value in sorted(sent)}
    return {value: target for value, target in whole.items() if value != target}


def advice(proposed: LabelMap | None) -> str:
    """What to do about values that are no class: the proposal in words, or that there is none."""
    if proposed is None:
        return (
            "No label map is proposed, since any would be a guess: send one, or name them as classes or as "
            "the value to ignore"
        )
    told = [
        f"{value} is ignored" if target is None else f"{value} counts as {target}"
        for value, target in proposed.items()
    ]
    more = " and more" if len(told) > LISTED else ""
    return (
        f"Send the proposed label map if it is what the values mean: {', '.join(told[:LISTED])}{more}. "
        "Else name them as classes or as the value to ignore"
    )


def _moved(names: list[int], seen: set[int]) -> LabelMap | None:
    void: LabelMap = {}
    if WHITE in seen and WHITE not in names and seen - {0, WHITE} and are_ids(seen - {WHITE}):
        void = {WHITE: None}
    values = seen - set(void)
    fitting = values & set(names)
    stray = values - fitting
    if _are_in_order(names, values, stray):
        return dict(zip(sorted(values), names, strict=True)) | void
    if _may_be_objects(names, stray):
        return None
    if len(fitting) >= 2 and len(stray) <= MOST_STRAY and len(stray) < len(fitting):
        return dict.fromkeys(sorted(stray)) | void
    return None


def _may_be_objects(names: list[int], stray: set[int]) -> bool:
    """Whether values may be ids of objects of the only class beside the background."""
    return names[0] == 0 and len(names) == 2 and names[1] + 1 in stray


def _are_in_order(names: list[int], values: set[int], stray: set[int]) -> bool:
    """Whether the values are the classes by another numbering."""
    if len(values) != len(names):
        return False
    count = len(names)
    if names == list(range(count)) and values == set(range(1, count + 1)):
        return True
    return len(stray) > STRAY_SHARE * count and stray != {0}


def _or_none(value: int) -> int | None:
    return None if value == NO_CLASS else value
