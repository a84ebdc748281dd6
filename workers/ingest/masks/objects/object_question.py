"""Asks whether the values of masks are classes, or ids of objects of one class."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.ingest.archive import Member
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.mask_files import WHITE, color_of, hex_of
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.question_previews import MOST_ROWS, Example, preview

ONE_CLASS: Mapping[str, Any] = {"objects": "one_class"}
"""The options that read all values but 0 as objects of one class."""

Couples = Sequence[tuple[Member, Member]]
"""Images with their masks."""


def ask_objects(
    read: Callable[[Member], bytes],
    couples: Couples,
    why: str,
    as_classes: Mapping[str, Any] | None,
    log: ProblemLog,
    background: int = 0,
    as_objects: Mapping[str, Any] = ONE_CLASS,
) -> bool:
    """Whether to go on with one class; `as_classes` are the options that read each value as a class beside
    `objects`, None where no option can, and `as_objects` those that read all but `background` as one."""
    examples = [mask.path for _, mask in couples]
    rows = spread(couples, MOST_ROWS)
    shown = {value: int(value != background) for value in range(WHITE + 1)}
    if background != WHITE:
        shown.pop(WHITE)
    offers = [
        Offer(
            key="one_class",
            text="Each value is one object: all objects are one class, and "
            f"{_called(background)} is the background.",
            count=len(couples),
            options=as_objects,
            examples=examples,
            draw=preview(read, [Example(image=a, masks=[b], values=shown) for a, b in rows]),
        )
    ]
    if as_classes is not None:
        offers.append(
            Offer(
                key="classes",
                text="Each value is a class of its own.",
                count=len(couples),
                options={"objects": "classes", **as_classes},
                examples=examples,
                draw=preview(read, [Example(image=a, masks=[b]) for a, b in rows]),
            )
        )
    text = f"Are the values of the masks classes, or ids that tell objects of one class apart? {why}"
    return log.ask("objects", text, offers) == "one_class"


def _called(background: int) -> str:
    """A value, or the code of a colour, in words."""
    return str(background) if background <= WHITE else hex_of(color_of(background))
