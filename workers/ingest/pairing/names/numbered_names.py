"""The numbers in the names of pictures, and which of them may stand for each other.

`tile_1_2` may be of row 1 and column 2, or of column 1 and row 2: what stands in a row of numbers, or in bare
folders and names of numbers (`1/2.png`), may be exchanged. `r1_c2` and `patient1/2.png` say what is what.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from workers.ingest.paths.layout import Picture
from workers.ingest.paths.words import Words, is_number

_BETWEEN = frozenset(("x", "by"))
"""Words between two numbers of a row: `1x2`."""
_GAP = "#"


@dataclass(frozen=True)
class NumberedName:
    """What a picture is called: `frame` is the split and the words of the folders that say no role and of
    the name, with a sign in place of each number; `numbers` are those."""

    frame: tuple[str | None, tuple[Words, ...]]
    numbers: tuple[int, ...]

    def exchanged(self, one: int, other: int) -> "NumberedName":
        """The same with two of the numbers in each other's place."""
        numbers = list(self.numbers)
        numbers[one], numbers[other] = numbers[other], numbers[one]
        return NumberedName(self.frame, tuple(numbers))

    @cached_property
    def exchangeable(self) -> list[tuple[int, int]]:
        """The places of numbers of which nothing says which is which."""
        rows = _rows(self.frame[1])
        return sorted({pair for row in rows for pair in combinations(row, 2)})


def numbered_name(picture: Picture, without: Collection[str] = ()) -> NumberedName:
    """The numbers of a picture, and what they stand in, but for some words."""
    said = (tuple(word for word in part if word not in without) for part in (*picture.plain, picture.name))
    parts = [part for part in said if part]
    frame = tuple(tuple(_GAP if is_number(word) else word for word in part) for part in parts)
    numbers = tuple(int(word) for part in parts for word in part if is_number(word))
    return NumberedName((picture.split, frame), numbers)


def _rows(parts: tuple[Words, ...]) -> Iterator[list[int]]:
    """The places of the numbers of each row, and of the folders and names that are one number."""
    place = 0
    bare: list[int] = []
    for part in parts:
        row: list[int] = []
        if part == (_GAP,):
            bare.append(place)
        for word in part:
            if word == _GAP:
                row.append(place)
                place += 1
            elif not (row and word in _BETWEEN):
                yield row
                row = []
        yield row
    yield bare
