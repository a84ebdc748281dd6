"""Reads the folds of a cross-validation from rows: of JSON, as `[{"train": [...], "val": [...]}, ...]`, or
of a table with a column of folds."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workers.ingest.splits.lists.fold_names import MOST_FOLDS, fold_of_cell, heads_folds, names_fold
from workers.ingest.splits.lists.list_rows import SPLIT_HEADS, Row, cells_of, heading_words, known_split

_MOST_SPLITS = 3
_EVEN = 1.5
"""How much larger than the smallest the largest of two or three folds may be; else these are splits."""


@dataclass(frozen=True, slots=True)
class FoldRow:
    """An image, and a mask if there is one, that a fold lists; `split` is that within the fold, if told."""

    fold: str
    split: str | None
    cells: Row


def rows_of_folds(document: object, *, called_so: bool) -> list[FoldRow]:
    """What each fold of a document lists; none where it tells no folds.

    Read are a list of `{"train": [...], "val": [...]}`, one for each fold, as nnU-Net's splits_final.json;
    such objects by the names of folds; and lists of images by the names of folds. With `called_so` the name
    of the file says that it is of folds, and numbers are names of these.
    """
    if isinstance(document, list):
        parts = [_by_split(entry) for entry in document]
        return [] if None in parts else list(_rows({str(at): part or {} for at, part in enumerate(parts)}))
    if not isinstance(document, dict) or not document:
        return []
    parts = [_by_split(value) for value in document.values()]
    if None not in parts:
        return list(_rows({key: part or {} for key, part in zip(document, parts, strict=True)}))
    names = document.keys()
    are_folds = all(map(names_fold, names)) or (called_so and all(name.isdecimal() for name in names))
    if len(document) > 1 and are_folds and all(isinstance(value, list) for value in document.values()):
        return list(_rows({key: {None: value} for key, value in document.items()}))
    return []


def folds_of_entries(document: object) -> dict[str, str]:
    """The fold that each object of a list names, by its image: `{"image": "a.png", "fold": 0}`."""
    if isinstance(document, dict):
        found: dict[str, str] = {}
        for value in document.values():
            found |= folds_of_entries(value) if isinstance(value, list) else {}
        return found
    return {
        cells[0]: fold
        for entry in (document if isinstance(document, list) else [])
        if isinstance(entry, dict) and (fold := _fold_of(entry)) is not None
        for cells in cells_of(entry)
    }


def _by_split(value: object) -> dict[str | None, object] | None:
    """The lists of an object that has one for each of two splits or more; None of anything else."""
    if not isinstance(value, dict):
        return None
    found: dict[str | None, object] = {}
    for key, listed in value.items():
        split = known_split(key)
        if split is not None and isinstance(listed, list):
            found[split] = listed
    return found if len(found) > 1 else None


def _rows(folds: Mapping[str, Mapping[str | None, object]]) -> Iterator[FoldRow]:
    for name, by_split in folds.items():
        fold = fold_of_cell(name) or name
        for split, listed in by_split.items():
            for entry in listed if isinstance(listed, list) else []:
                yield from (FoldRow(fold, split, cells) for cells in cells_of(entry))


def _fold_of(entry: Mapping[str, object]) -> str | None:
    told = [value for key, value in entry.items() if heads_folds(key)]
    if len(told) != 1 or isinstance(told[0], bool) or not isinstance(told[0], int | str):
        return None
    return fold_of_cell(str(told[0]))


def folds_of_rows(rows: Sequence[Row], heads: Row, image: int | None, *, called_so: bool) -> list[str | None]:
    """The fold of each row of a table; None for all where no column has folds.

    It is headed as such, or it has so many numbers that they are no splits, and is headed as one of splits,
    or the file is `called_so`. `image` is the column of images.
    """
    for column in range(max(map(len, rows), default=0)):
        head = heads[column] if column < len(heads) else ""
        cells = [fold_of_cell(row[column]) if column < len(row) else None for row in rows]
        if column != image and _are_folds(cells, head, called_so=called_so):
            return cells
    return [None] * len(rows)


def _are_folds(cells: Sequence[str | None], head: str, *, called_so: bool) -> bool:
    sizes = Counter(cell for cell in cells if cell is not None)
    if not all(fold.isdecimal() or len(fold) == 1 for fold in sizes) or 2 * len(sizes) > sum(sizes.values()):
        return False
    if heads_folds(head):
        return len(sizes) > _MOST_SPLITS or (
            len(sizes) > 1 and max(sizes.values()) <= _EVEN * min(sizes.values())
        )
    of_splits = called_so if not head else bool(heading_words(head) & SPLIT_HEADS)
    return of_splits and _MOST_SPLITS < len(sizes) <= MOST_FOLDS and all(map(str.isdecimal, sizes))
