"""The mask values of the labels that annotations use."""

import re

from workers.ingest.classes.named_classes import LONGEST_CLASS_NAME
from workers.ingest.formats.annotations.class_values import BACKGROUND, BACKGROUND_NAMES
from workers.ingest.items import Color
from workers.ingest.problems import Refused, shown
from workers.ingest.regions.masks import IGNORED

IGNORED_LABELS = frozenset(("__ignore__",))
"""Labels, in any case, of pixels that are no class."""

_COLOR = re.compile(r"\s*#([0-9a-fA-F]{6})")
_MOST = IGNORED - 1
_LISTED = 20


class Labels:
    """Values from 1 in the order in which labels are named; 0 is the background, IGNORED is no class.

    A label that means background, or one of IGNORED_LABELS, has that value wherever it is named.
    """

    def __init__(self) -> None:
        self._background = BACKGROUND
        self._values: dict[str, int] = {}
        self._colors: dict[int, Color] = {}
        self._closed = False

    def close(self) -> None:
        """From now on, take no label that was not named before."""
        self._closed = True

    def value(self, label: str) -> int:
        """The mask value of a label; raises Refused for the 255th, and for an unknown one once closed."""
        name = shown(label.strip())[:LONGEST_CLASS_NAME]
        if self._closed and _fixed(name) is None and name not in self._values:
            raise self._unknown(name)
        return self.add(name)

    def add(self, label: str, color: object = None) -> int:
        """Name a label beforehand, closed or not, with its colour, `#rrggbb`, where it has one.

        Raises Refused for the 255th.
        """
        name = shown(label.strip())[:LONGEST_CLASS_NAME]
        fixed = _fixed(name)
        if fixed is not None:
            self._background = name if fixed == 0 else self._background
            return fixed
        if name not in self._values:
            if len(self._values) == _MOST:
                raise Refused(
                    "too_many_classes",
                    f"The label {name!r} comes after {_MOST} others; no more can be told apart.",
                    "Merge labels, or leave out those that are not used.",
                )
            self._values[name] = len(self._values) + 1
        found = _COLOR.match(color) if isinstance(color, str) else None
        if found is not None:
            red, green, blue = bytes.fromhex(found[1])
            self._colors.setdefault(self._values[name], (red, green, blue))
        return self._values[name]

    @property
    def names(self) -> dict[int, str]:
        """The classes' names by value, the background first."""
        return {0: self._background} | {value: name for name, value in self._values.items()}

    @property
    def colors(self) -> dict[int, Color]:
        """The classes' colours by value, of those that have one."""
        return dict(self._colors)

    def _unknown(self, name: str) -> Refused:
        listed = ", ".join(list(self._values)[:_LISTED])
        more = " and more" if len(self._values) > _LISTED else ""
        return Refused(
            "label_unknown",
            f"The label {name!r} is not in the project's list: {listed}{more}.",
            "Add it to the list of labels, or rename it.",
        )


def _fixed(name: str) -> int | None:
    """The value of a label that is no class of its own."""
    plain = name.casefold()
    if plain in IGNORED_LABELS:
        return IGNORED
    return 0 if plain in BACKGROUND_NAMES else None
