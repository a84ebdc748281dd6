"""Which classes a set in VOC's layout has: those that a file names, VOC's own, or as many as there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workers.ingest.classes.files.classes_file import other_names, read_classes_files
from workers.ingest.classes.files.voc_labels import CLASSES, labelmap, palette_color
from workers.ingest.classes.named_classes import first_value
from workers.ingest.items import Color, OtherNames, Read, Source
from workers.ingest.masks.survey import spread
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.problems import Offer, ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED
from workers.ingest.text.text_files import named, text_of

_LOOKED_AT = 64
"""Masks that are decoded to know whether the set has VOC's ids."""

_LATE = 15
"""Sets of one's own seldom have so many classes and use them with gaps: then an id from here on is VOC's."""


@dataclass(frozen=True, kw_only=True)
class VocClasses:
    """Names by value, or `listed` in order; `table` has the values of colours where labelmap.txt gives them.

    `file` is where names were found, `origin` says so in words, and `others` are what further files say.
    """

    names: dict[int, str] | None = None
    listed: tuple[str, ...] = ()
    table: dict[Color, int] | None = None
    file: str | None = None
    origin: str | None = None
    others: tuple[OtherNames, ...] = ()


def labelled(source: Source, log: ProblemLog) -> VocClasses:
    """What the files of the upload say; raises Refused for a broken labelmap.txt."""
    text = text_of(source, "labelmap.txt")
    if text is not None:
        names, table = labelmap(text)
        file = getattr(named(source, "labelmap.txt"), "path", None)
        return VocClasses(names=names, table=table, file=file, origin=f"the names in {file}")
    files = read_classes_files(source, log)
    if not files:
        return VocClasses()
    said, file, others = files[0].said, files[0].path, other_names(files)
    origin = f"the names in {file}"
    by_value = {value: name for value, name in said.names.items() if value != IGNORED}
    if said.listed and first_value(said.listed) == 0:
        by_value = dict(enumerate(said.listed[:IGNORED]))
    if by_value:
        return VocClasses(names=by_value, file=file, origin=origin, others=others)
    return VocClasses(listed=said.listed, file=file, origin=origin, others=others)


def set_classes(
    classes: VocClasses, ids: set[int], masks: int, in_vocs_colors: bool, log: ProblemLog
) -> VocClasses:
    """The classes of a set with these ids, with VOC's names where no file says any, and colours and ids are
    VOC's; asked where these may be those of another set."""
    if not ids and classes.names and not in_vocs_colors:  # black and white
        return replace(classes, names=None, listed=tuple(classes.names.values()))
    if classes.names or classes.listed or not in_vocs_colors:
        return classes
    if not ids or max(ids) >= len(CLASSES):
        return classes
    is_own = ids == set(range(1, max(ids) + 1)) and len(ids) < len(CLASSES) - 1
    is_late = max(ids) >= _LATE
    if is_own or not (is_late or _ask(ids, masks, log)):
        return classes
    return replace(classes, names=dict(enumerate(CLASSES)), origin="VOC's own, by palette and ids")


def voc_table(names: Mapping[int, str]) -> dict[Color, int]:
    """The value of each of VOC's colours: of as many classes as are named, or else as VOC has."""
    return {palette_color(value): value for value in (*(names or range(len(CLASSES))), IGNORED)}


def used_ids(truths: Sequence[MaskTruth], read: Read) -> set[int]:
    """The values that masks have, looking at some of them, without 0 and 255."""
    found: set[int] = set()
    for truth in spread(truths, _LOOKED_AT):
        try:
            found |= set(np.unique(truth.values(read(truth.member))).tolist())
        except Refused:
            continue
    return found - {0, IGNORED}


def is_voc(palette: Sequence[Color]) -> bool:
    """Whether the colours of VOC's classes are those of the palette."""
    expected = [palette_color(value) for value in range(len(CLASSES))]
    return list(palette[: len(expected)]) == expected


def _ask(ids: set[int], masks: int, log: ProblemLog) -> bool:
    """Ask whether ids are VOC's; returns whether to go on with that."""
    numbered = {value: f"class_{value}" for value in (sorted(ids) if masks <= _LOOKED_AT else range(1, 21))}
    offers = [
        _offer("voc", "They are VOC's classes.", masks, dict(enumerate(CLASSES))),
        _offer("numbered", "They are classes of another set.", masks, {0: CLASSES[0]} | numbered),
    ]
    listed = ", ".join(f"{value} ({CLASSES[value]})" for value in sorted(ids))
    text = f"The masks have VOC's colours and the ids {listed}: are these VOC's classes?"
    return log.ask("voc_classes", text, offers) == "voc"


def _offer(key: str, text: str, count: int, names: dict[int, str]) -> Offer:
    options: dict[str, Any] = {"classes": {str(value): name for value, name in names.items()}}
    return Offer(key=key, text=text, count=count, options={**options, "ignore_value": IGNORED})
