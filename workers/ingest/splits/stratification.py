"""Shares images out over parts so that each class is spread over them as evenly as its images allow.

The method is iterative stratification for multi-label data (K. Sechidis, G. Tsoumakas, I. Vlahavas: On the
Stratification of Multi-Label Data, ECML PKDD 2011): the class with the fewest images left is shared out
first, each image to the part that still wants most of that class. Three things differ from the paper. Parts
have a size that is kept, so that a split of 20 % has 20 %; a class that has enough images is wanted at least
once by each part; and images come in the order of a hash of seed and name instead of by chance, so that the
order of an upload does not matter.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """Images that stay together: their names, and how many of them each class occurs in (shared by units)."""

    names: tuple[str, ...]
    classes: Counter[int]


def stratify(units: Sequence[Unit], sizes: Sequence[int], seed: int) -> list[list[Unit]]:
    """The units of each part; `sizes` are the images wanted per part and add up to those of all units.

    A unit larger than any room left goes where most room is. Every part gets a unit where there are enough.
    """
    parts = _Parts(units, sizes)
    waiting = {unit.names: unit for unit in sorted(units, key=lambda unit: _rank(unit, seed))}
    left = Counter[int]()
    for unit in units:
        left.update(unit.classes.keys())
    while left:
        rarest = min(left, key=lambda label: (left[label], label))
        for unit in [unit for unit in waiting.values() if rarest in unit.classes]:
            parts.take(unit, rarest)
            del waiting[unit.names]
            for label in unit.classes:
                left[label] -= 1
                if not left[label]:
                    del left[label]
    for unit in waiting.values():  # without any class: all of its pixels are ignored
        parts.take(unit, None)
    parts.fill_empty()
    return parts.units


class _Parts:
    """What each part holds, and what it still wants: images (`room`) and images of each class (`wants`)."""

    def __init__(self, units: Sequence[Unit], sizes: Sequence[int]) -> None:
        images: Counter[int] = Counter()
        having: Counter[int] = Counter()
        for unit in units:
            images.update(unit.classes)
            having.update(unit.classes.keys())
        total = sum(sizes)
        self.units: list[list[Unit]] = [[] for _ in sizes]
        self._room = list(sizes)
        self._wants = [
            {
                label: max(count * size / total, 1.0 if having[label] >= len(sizes) else 0.0)
                for label, count in images.items()
            }
            for size in sizes
        ]

    def take(self, unit: Unit, label: int | None) -> None:
        """Give the unit to the part that wants the class most, of those with room for it."""
        everywhere = range(len(self.units))
        roomy = [part for part in everywhere if self._room[part] >= len(unit.names)]
        if roomy:
            part = max(roomy, key=lambda part: (self._wanted(part, label), self._room[part], -part))
        else:
            part = max(everywhere, key=lambda part: (self._room[part], -part))
        self._put(unit, part)

    def fill_empty(self) -> None:
        """Give each empty part the smallest unit of the part that has the most of them."""
        for part, held in enumerate(self.units):
            richest = max(self.units, key=len)
            if not held and len(richest) > 1:
                smallest = min(richest, key=lambda unit: len(unit.names))
                richest.remove(smallest)
                self._put(smallest, part)

    def _wanted(self, part: int, label: int | None) -> float:
        return 0.0 if label is None else self._wants[part][label]

    def _put(self, unit: Unit, part: int) -> None:
        self.units[part].append(unit)
        self._room[part] -= len(unit.names)
        for label, count in unit.classes.items():
            self._wants[part][label] -= count


def _rank(unit: Unit, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{unit.names[0]}".encode()).digest()
