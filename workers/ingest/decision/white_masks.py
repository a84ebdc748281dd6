"""Asks what white is where some masks of a set have 0 and 1, and others 0 and 255.

Beside ids 255 mostly marks what is no class; then masks have both. Where none has, it may as well be the one
class as another program writes it, and to ignore it would lose the objects of these masks. Where it is most
of all pixels and no mask has 0, it may be the background.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workers.ingest.classes.class_rules import ClassRules, are_ids
from workers.ingest.decision.mixed_masks import OpenMixture
from workers.ingest.decision.value_map import LabelMap
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import Offer, ProblemLog, shown
from workers.ingest.reading.statistics import SampleCounts

_ONE = 1


def open_white(
    rules: ClassRules | None, ignore_value: int | None, readings: Sequence[SampleCounts]
) -> OpenMixture | None:
    """The masks that are white, if the others have 1 alone; or those with 1, if 255 is named; else None."""
    named = rules.names.keys() if rules else set()
    ignored = {ignore_value, rules.ignore_value if rules else None}
    values = [reading.values.keys() - {0} for reading in readings]
    both = {_ONE, WHITE}
    if both <= named or both & ignored or both != set().union(*values) or both in values:
        return None
    value, other = (_ONE, WHITE) if WHITE in named else (WHITE, _ONE)
    files = [reading.mask_file for reading, own in zip(readings, values, strict=True) if value in own]
    return OpenMixture(
        code="white_values",
        text=f"{len(files)} mask(s), such as {shown(files[0])}, have 0 and {value}, the others 0 and "
        f"{other}. What is {value}?",
        readings=[
            ("same", f"It is the class that other masks write as {other}.", {value: other}),
            ("ignored", "It is no class: its pixels are ignored.", {value: None}),
        ],
        files=files,
    )


def surrounds(rules: ClassRules | None, ignore_value: int | None, readings: Sequence[SampleCounts]) -> bool:
    """Whether most pixels are white beside ids that nobody names, and no mask has 0."""
    total: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
    ids = total.keys() - {WHITE}
    if rules is not None or ignore_value is not None or 0 in total or not ids or not are_ids(set(ids)):
        return False
    return 2 * total[WHITE] > total.total()


def ask_about_surrounding(masks: Sequence[SampleCounts], log: ProblemLog) -> LabelMap:
    """Ask whether white is the background of masks, or no class; returns the label map to go on with."""
    files = [reading.mask_file for reading in masks]

    def offer(key: str, text: str, target: int | None) -> Offer:
        options: Mapping[str, Any] = {"label_map": {str(WHITE): target}}
        return Offer(key=key, text=text, count=len(files), options=options, examples=files)

    key = log.ask(
        "white_background",
        "Most pixels of the masks are 255, the others have ids, and none has 0. What is 255?",
        [
            offer("background", "It is the background.", 0),
            offer("ignored", "It is no class: its pixels are ignored.", None),
        ],
    )
    return {WHITE: 0 if key == "background" else None}
