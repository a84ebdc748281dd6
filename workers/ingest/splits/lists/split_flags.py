"""Splits that the columns of a table tell by numbers: a flag of each split, or one number for each."""

from collections.abc import Collection, Mapping, Sequence

from workers.ingest.splits.lists.fold_names import MOST_FOLDS, heads_folds
from workers.ingest.splits.lists.list_rows import SPLIT_HEADS, Row, heading_words, known_split

_MEANS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_ABOUT = frozenset(("is", "in", "for", "use"))
"""Words beside a split in the heading of its flags: `is_train`, `in_test_set`."""
_MOST_NUMBERS = 3
"""More numbers than there are splits count folds or groups."""
_TRIED = 200


def parted_last(rows: list[Row]) -> list[Row]:
    """The rows, each of one cell parted before its last word where these words may be splits, or numbers of
    folds: `im_7 1`."""
    parted = [row[0].rsplit(None, 1) if len(row) == 1 else row for row in rows]
    lasts = {row[-1] for row in parted}
    if any(len(row) != 2 for row in parted) or len(lasts) < 2:
        return rows
    numbers = all(last.isdecimal() for last in lasts) and len(lasts) <= MOST_FOLDS
    return parted if are_numbers(lasts) or numbers or all(map(known_split, lasts)) else rows


def are_numbers(cells: Collection[str]) -> bool:
    """Whether these are two or three numbers of one digit or two."""
    numbers = all(cell.removeprefix("-").isdecimal() and len(cell) < 3 for cell in cells)
    return numbers and 1 < len(cells) <= _MOST_NUMBERS


def flag_columns(rows: Sequence[Row], heads: Row) -> dict[int, str]:
    """The columns whose headings name a split and whose cells are all 1 or 0, true or false: `is_training`.

    Empty where two columns are of the same split.
    """
    found: dict[int, str] = {}
    for column, head in enumerate(heads):
        said = " ".join(sorted(heading_words(head) - _ABOUT))
        cells = {row[column].casefold() for row in rows if column < len(row)}
        if (split := known_split(said)) and cells and cells <= _MEANS.keys():
            found[column] = split
    return found if len(set(found.values())) == len(found) else {}


def split_of_flags(row: Row, flags: Mapping[int, str]) -> str:
    """The split whose flag is set; of a row with none the one that has no column: train, else test."""
    for column, split in flags.items():
        if column < len(row) and _MEANS[row[column].casefold()]:
            return split
    return "test" if "train" in flags.values() else "train"


def number_column(
    rows: Sequence[Row], heads: Row, image: int | None, called_so: bool
) -> tuple[int, tuple[str, ...]]:
    """The column of splits as two or three numbers, and these, lowest first; none where there is no such.

    Its heading has a word for splits or folds, or with `called_so` the name of the file has. `image` is the
    column of images.
    """
    for column in range(max(map(len, rows[:_TRIED]), default=0)):
        cells = {row[column] for row in rows if column < len(row)}
        head = heads[column] if column < len(heads) else ""
        said = heading_words(head) & SPLIT_HEADS or heads_folds(head)
        if column != image and (said or called_so) and are_numbers(cells):
            return column, tuple(sorted(cells, key=int))
    return 0, ()
