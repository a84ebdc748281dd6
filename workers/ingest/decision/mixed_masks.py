"""Asks whether some masks of a set write the classes of others as greys: 85, 170 and 255 for 1, 2 and 3.

Where some have one id alone, it may be any of the others' greys. It is asked, too, what 255 is where no mask
has it beside an id, or all have it beside one and the same: it marks what is no class beside ids.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.ingest.classes.class_rules import ClassRules, are_ids, listed_values
from workers.ingest.decision.value_map import LabelMap
from workers.ingest.items import FoundSet, Source
from workers.ingest.masks.rescaled import rescaled
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import Offer, ProblemLog, shown
from workers.ingest.question_previews import MOST_ROWS, Example, preview
from workers.ingest.reading.statistics import SampleCounts

_FAR = 16
"""A value alone in some masks is no grey beside others if those are at least so many times as high."""
_OFFERED = 12
_RARE = 20
"""Ids are rare where 255 has more than so many times their pixels."""


@dataclass(frozen=True, kw_only=True)
class OpenMixture:
    """Masks that have other values than the rest of the set, as `text` says; `readings` are key, words and
    label map of what these may count as. `ids` are what the `others` have, of which one is shown beside."""

    code: str
    text: str
    readings: Sequence[tuple[str, str, LabelMap]]
    files: Sequence[str]
    ids: set[int] = field(default_factory=set)
    others: Sequence[str] = ()


def open_mixture(
    rules: ClassRules | None, ignore_value: int | None, readings: Sequence[SampleCounts]
) -> OpenMixture | None:
    """What masks with other values than the rest may mean; None where it is told, or all have the same."""
    if rules is not None or ignore_value is not None:
        return None
    each = [reading.values.keys() for reading in readings]
    greys = rescaled(each)
    if greys:
        return _greys(greys, readings)
    ids = set().union(*each) - {0, WHITE}
    if len(ids) == 1 and not are_ids(ids) and all(len(own - {0}) < 2 for own in each):
        return _greys(dict.fromkeys(ids, WHITE), readings) if any(WHITE in own for own in each) else None
    lone = _lone_id(each)
    if lone is not None:
        return _lone(lone, set().union(*each) - {0, lone}, readings)
    if WHITE in set().union(*each) and are_ids(ids or {0}) and _are_rare(ids, readings):
        return _rare_beside_white(ids, readings)
    if len(ids) == 1 and are_ids(ids) and set().union(*each) == ids | {WHITE}:
        return _bare_white(ids, readings)
    is_mixed = any(WHITE in own and own & ids for own in each)
    is_white = any(WHITE in own for own in each)
    if is_white and not is_mixed and len(ids) > 1 and are_ids(ids):
        return _white(ids, readings)
    return None


def _lone_id(masks: Sequence[Collection[int]]) -> int | None:
    """The only value beside 0 of some masks, if it is far below all that others have, which are no ids."""
    each = [set(values) - {0} for values in masks]
    lowest = min(set().union(*each), default=0)
    others = [own for own in each if lowest not in own]
    if any(len(own) > 1 for own in each if lowest in own) or not any(others):
        return None
    greys = set().union(*others)
    return lowest if min(greys) >= _FAR * lowest and not are_ids(greys - {WHITE} or {WHITE}) else None


def _lone(lone: int, greys: set[int], readings: Sequence[SampleCounts]) -> OpenMixture:
    files, ordered = _files(readings, {lone}), sorted(greys, reverse=True)
    same: list[tuple[str, str, LabelMap]] = [
        (f"same_as_{grey}", f"It is the class that other masks write as {grey}.", {lone: grey})
        for grey in ordered[:_OFFERED]
    ]
    return OpenMixture(
        code="mask_scales",
        text=f"{len(files)} of {len(readings)} masks, such as {shown(files[0])}, have {lone} alone, the "
        f"others {listed_values(greys)}. What is {lone}?",
        readings=[*same, ("classes", "It is a class of its own.", {lone: lone})],
        files=files,
        ids=greys,
        others=_files(readings, greys),
    )


def _are_rare(ids: set[int], readings: Sequence[SampleCounts]) -> bool:
    """Whether ids have few pixels beside white areas, on much background: 255 is then no mere border."""
    background, white, rest = (
        sum(reading.values.get(value, 0) for reading in readings for value in values)
        for values in ({0}, {WHITE}, ids)
    )
    return bool(ids) and background > white > _RARE * rest


def _rare_beside_white(ids: set[int], readings: Sequence[SampleCounts]) -> OpenMixture:
    files, further = _files(readings, ids), max(ids) + 1
    return OpenMixture(
        code="white_values",
        text=f"{len(files)} mask(s), such as {shown(files[0])}, have few pixels of {listed_values(ids)} "
        "beside areas of 255, which mostly marks what is no class. Which of them is a class?",
        readings=[
            ("white", "255 is the class, the other pixels are none.", dict.fromkeys(sorted(ids))),
            ("class", f"Both are; 255 counts as {further}.", {WHITE: further}),
            ("ignored", "255 is no class: its pixels are ignored.", {WHITE: None}),
        ],
        files=files,
        ids=ids | {WHITE},
    )


def _bare_white(ids: set[int], readings: Sequence[SampleCounts]) -> OpenMixture:
    files, (value,) = _files(readings, {WHITE}), ids
    return OpenMixture(
        code="white_values",
        text=f"The masks have {value} and 255 and nothing else. Where 255 is no class, as mostly beside ids, "
        "one class is left, which cannot be learnt. What is 255?",
        readings=[
            ("class", f"It is a class of its own, and counts as {value + 1}.", {WHITE: value + 1}),
            ("background", "It is the background.", {WHITE: 0}),
        ],
        files=files,
        ids=ids,
    )


def _files(readings: Sequence[SampleCounts], values: set[int]) -> list[str]:
    return [reading.mask_file for reading in readings if reading.values.keys() & values]


def _greys(greys: Mapping[int, int], readings: Sequence[SampleCounts]) -> OpenMixture:
    files, ids = _files(readings, set(greys)), set(greys.values())
    return OpenMixture(
        code="mask_scales",
        text=f"{len(files)} of {len(readings)} masks, such as {shown(files[0])}, have {listed_values(greys)} "
        f"where others have {listed_values(ids)}, and none has both. Are they the same classes?",
        readings=[
            ("same", "They are the same classes, written as greys.", dict(greys)),
            ("classes", "Each value is a class of its own.", {value: value for value in greys}),
        ],
        files=files,
        ids=ids,
        others=_files(readings, ids),
    )


def _white(ids: set[int], readings: Sequence[SampleCounts]) -> OpenMixture:
    files, further = _files(readings, {WHITE}), max(ids) + 1
    return OpenMixture(
        code="white_values",
        text=f"{len(files)} mask(s), such as {shown(files[0])}, have 255 and no id, the others "
        f"{listed_values(ids)} and no 255. What is 255?",
        readings=[
            ("ignored", "It is no class: its pixels are ignored.", {WHITE: None}),
            ("class", f"It is a class of its own, and counts as {further}.", {WHITE: further}),
        ],
        files=files,
        ids=ids,
        others=_files(readings, ids),
    )


def ask_about_mixture(mixture: OpenMixture, found: FoundSet, source: Source, log: ProblemLog) -> LabelMap:
    """Ask what the values are; returns the label map to go on with."""
    members = {member.path: member for member in source.members}
    images = {item.truth.file: item.image for item in found.items}
    beside = mixture.others[:1]
    both = [*spread(mixture.files, MOST_ROWS - len(beside)), *beside]
    rows = [(images[file], members[file]) for file in both if file in members]

    def offer(key: str, text: str, label_map: LabelMap) -> Offer:
        options: Mapping[str, Any] = {"label_map": {str(value): to for value, to in label_map.items()}}
        drawn = {value: to or 0 for value, to in label_map.items()}
        if key == "classes":  # in colours of their own, which the values as such may share
            free = (value for value in range(1, WHITE) if value not in mixture.ids)
            drawn = dict(zip(label_map, free, strict=False))
        values = {value: value for value in mixture.ids} | drawn
        examples = [Example(image=image, masks=[mask], values=values) for image, mask in rows]
        draw = preview(source.read, examples) if rows else None
        return Offer(
            key=key, text=text, count=len(mixture.files), options=options, examples=mixture.files, draw=draw
        )

    asked = log.ask(mixture.code, mixture.text, [offer(*one) for one in mixture.readings])
    return next(label_map for key, _, label_map in mixture.readings if key == asked)
