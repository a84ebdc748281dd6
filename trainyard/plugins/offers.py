"""What an operator's plug-ins add to what Trainyard has: names, and what they take. Never code.

Such a name has a dot, `lab.tversky`, as none of Trainyard's own has: the first part is whose it is.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

OfferKind = Literal["loss", "optimizer", "metric", "architecture", "format"]

NAME_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
LONGEST_NAME = 80
VALIDATED = "val_"
"""Goes before the name of a metric in the column of the epochs' rows, and where it is monitored."""

_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One thing that the plug-ins of a worker offer, said in a line of `help`.

    `task` is the one that a loss, a metric or an architecture is for, `forms` are the forms of it that a loss
    is defined for. A loss takes `params`, each a number from and to, and class weights or not. An
    architecture takes images whose height and width, in pixels, are multiples of `size_multiple`, and these
    `encoders`, which are names of its own; without any it takes those of Trainyard.
    """

    kind: OfferKind
    name: str
    help: str = ""
    task: str | None = None
    forms: tuple[str, ...] = ()
    params: dict[str, tuple[float, float]] = field(default_factory=dict)
    takes_class_weights: bool = False
    size_multiple: int = 1
    encoders: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its kind and its name, by which a claim tells whether a worker has it (`claim.lua`)."""
        return f"{self.kind} {self.name}"


_FALLING = ("loss", "error", "distance")


def is_offered_name(name: str) -> bool:
    """Whether this may be the name of something that a plug-in offers."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def metric_of(monitor: str) -> str | None:
    """The metric of a plug-in that is monitored, by its name; None for one of Trainyard's own."""
    name = monitor.removeprefix(VALIDATED)
    return name if name != monitor and is_offered_name(name) else None


def falls(monitor: str) -> bool:
    """Whether a plug-in's metric is better the lower it is: its name says so, for stored rows are read where
    no plug-in is."""
    return monitor.endswith(_FALLING)
