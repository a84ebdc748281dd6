"""Asks whether the values of masks are classes, or ids of objects of one class."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.ingest.archive import Member
from workers.ingest.masks.survey import spread
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.question_previews import MOST_ROWS, Example, preview

Couples = Sequence[tuple[Member, Member]]
"""Images with their masks."""

_ALL_ONE = dict.fromkeys(range(1, 255), 1)


def ask_objects(
    read: Callable[[Member], bytes],
    couples: Couples,
    why: str,
    as_classes: Mapping[str, Any] | None,
    log: ProblemLog,
) -> bool:
    """Whether to go on with one class; `as_classes` are the options that read each value as a class beside
    `objects`, None where no option can."""
    examples = [mask.path for _, mask in couples]
    rows = spread(couples, MOST_ROWS)
    offers = [
        Offer(
            key="one_class",
            text="Each value is one object: all objects are one class, and 0 is the background.",
            count=len(couples),
            options={"objects": "one_class"},
            examples=examples,
            draw=preview(read, [Example(image=a, masks=[b], values=_ALL_ONE) for a, b in rows]),
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
