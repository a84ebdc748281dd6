"""Reads lists that are tables: which of their columns name images, masks, splits and folds."""

import re
from collections.abc import Sequence

from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import shown
from workers.ingest.splits.lists.fold_names import FOLD_HEADS, tells_folds
from workers.ingest.splits.lists.fold_rows import folds_of_rows
from workers.ingest.splits.lists.list_rows import (
    IMAGE_HEADS,
    MASK_HEADS,
    OBJECT_HEADS,
    SPLIT_HEADS,
    Row,
    heading_words,
    known_split,
)
from workers.ingest.splits.lists.listing import Entry, Listing
from workers.ingest.splits.lists.split_flags import are_numbers, flag_columns, number_column, split_of_flags

NUMBERED = {"0": "train", "1": "val", "2": "test"}
"""Splits as numbers, where all three are there: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html."""

TRIED = 200
"""Rows by which it is told what a column holds."""

_SPLITS_ALONE = frozenset(("split", "splits", "partition"))
"""Headings that mean nothing else."""
_MOST_SPLITS = 4
_FEW = 2
"""Rows that pair nothing by themselves."""
_NEARLY_ALL = 0.8

_OF_ALL = re.compile(r"split|partition|\Adataset\Z|\Asubsets?\Z")


def is_of_all(path: str) -> bool:
    """Whether a file is called as one that says the splits of all images."""
    return _OF_ALL.search(stem_of(path).casefold()) is not None


def entry_of(row: Row, image: int, mask: int | None, split: str | None, fold: str | None = None) -> Entry:
    """The entry of a row that has the image in one column, and perhaps the mask in another."""
    has_mask = mask is not None and mask < len(row)
    return Entry(row[image], row[mask] if has_mask and mask is not None else None, split, fold)


def of_table(rows: list[Row], split: str | None, of_fold: bool, index: PathIndex, path: str) -> Listing:
    """The entries of a table: its columns are told by their headings, else by what they name. `of_fold` says
    whether the file is that of one fold."""
    heads = _heading(rows, index, path)
    rows = [row for row in (rows[1:] if heads else rows) if row]
    images = _columns(rows, heads, IMAGE_HEADS, index, path)
    if not images:
        return _without_images(rows, heads, split, of_fold, path)
    image = images[0]
    masks = [column for column in _columns(rows, heads, MASK_HEADS, index, path) if column != image]
    mask = next((column for column in masks if _differ(rows, image, column, index, path)), None)
    mask = next((one for one in masks if _are_named(rows, heads, image, one)), None) if mask is None else mask
    if any(heading_words(cell) & OBJECT_HEADS for cell in heads):
        mask = None
    folds = folds_of_rows(rows, heads, image, called_so=is_of_all(path) or tells_folds(path))
    splits, numbers = _splits_of_rows(rows, heads, split, path, image)
    if numbers and any(folds):
        splits, numbers = [None] * len(rows), ()
    unknown = "" if of_fold or any(splits) or any(folds) else _unknown_splits(rows, heads)
    if mask is None and not (of_fold or any(splits) or any(folds) or unknown):
        mask = next(
            (one for one in masks if not heads and _may_be_named(rows, image, one, index, path)), None
        )
        return Listing(
            path, [entry_of(row, image, mask, None) for row in rows if mask is not None], unsure=True
        )
    told = zip(rows, splits, folds, strict=True)
    named = [entry_of(row, image, mask, of, fold) for row, of, fold in told if len(row) > image]
    return Listing(path, named, numbers=numbers, fault=unknown)


def _unknown_splits(rows: Sequence[Row], heads: Row) -> str:
    """What is wrong with a column that is headed as one of splits, and has two to four other words."""
    for column, head in enumerate(heads):
        cells = {row[column] for row in rows if column < len(row) and row[column]}
        if heading_words(head) & _SPLITS_ALONE and 1 < len(cells) <= _MOST_SPLITS and not are_numbers(cells):
            return f"Its column {shown(head)} has the words {', '.join(map(shown, sorted(cells)))}."
    return ""


def _without_images(rows: list[Row], heads: Row, split: str | None, of_fold: bool, path: str) -> Listing:
    """Of a table of which no column names pictures: the names of folders, or of something else."""
    if split or of_fold:
        return Listing(path, [entry_of(row, 0, None, split) for row in rows])
    splits, _ = _splits_of_rows(rows, heads, None, path, None)
    if len(set(splits)) < 2:
        return Listing(path, [])
    return Listing(path, [], fault="No column of it names pictures of the upload.")


def _splits_of_rows(
    rows: list[Row], heads: Row, split: str | None, path: str, image: int | None
) -> tuple[list[str | None], tuple[str, ...]]:
    """The split of each row, and the numbers that stand for splits where it is open which of them trains."""
    if split is not None:
        return [split] * len(rows), ()
    column = _split_column(rows, heads)
    if column is not None:
        return [known_split(row[column]) if column < len(row) else None for row in rows], ()
    flags = flag_columns(rows, heads)
    if flags:
        return [split_of_flags(row, flags) for row in rows], ()
    column, numbers = number_column(rows, heads, image, is_of_all(path))
    cells: list[str | None] = [row[column] if column < len(row) else None for row in rows] if numbers else []
    if set(numbers) == NUMBERED.keys():
        return [NUMBERED[cell] if cell else None for cell in cells], ()
    return cells or [None] * len(rows), numbers


def _heading(rows: Sequence[Row], index: PathIndex, path: str) -> Row:
    """The first row if it has headings: it names no file, and a word of headings; else none."""
    if len(rows) < 2 or any(index.find(cell, path) for cell in rows[0]):
        return []
    known = IMAGE_HEADS | MASK_HEADS | SPLIT_HEADS | FOLD_HEADS
    words = [heading_words(cell) for cell in rows[0] if "/" not in cell and "\\" not in cell]
    return rows[0] if any(one & known for one in words) else []


def _columns(
    rows: Sequence[Row], heads: Row, words: frozenset[str], index: PathIndex, path: str
) -> list[int]:
    """The columns of which half the cells or more name pictures: first those with such a heading, then
    those of whole names of files rather than numbers that could be names, and then from the left."""
    tried = rows[:TRIED]
    found = []
    for column in range(max(map(len, tried), default=0)):
        cells = [row[column] for row in tried if column < len(row)]
        if are_numbers(set(cells)) and len(set(cells)) < len(cells):
            continue  # they come again, though `0.png` and `1.png` may be there
        hits = [cell for cell in cells if index.find_first(cell, path)]
        if 2 * len(hits) >= len(tried):
            said = _says(heads[column], words) if column < len(heads) else False
            written = sum("." in cell or "/" in cell for cell in hits)
            found.append((not said, 2 * written < len(hits), column))
    return [column for *_, column in sorted(found)]


def _says(heading: str, words: frozenset[str]) -> bool:
    """Whether a heading has one of the words; one of masks, such as `mask_path`, is none of images."""
    found = heading_words(heading)
    return bool(found & words) and (words == MASK_HEADS or not found & MASK_HEADS)


def _differ(rows: Sequence[Row], one: int, other: int, index: PathIndex, path: str) -> bool:
    """Whether two columns name different pictures in each row: both written out, each one file alone."""
    pairs = [(row[one], row[other]) for row in rows[:TRIED] if len(row) > max(one, other)]
    found = [(index.find(a, path).paths, index.find(b, path).paths) for a, b in pairs]
    named = [(a, b) for a, b in found if len(a) == len(b) == 1]
    return 2 * len(named) >= len(pairs) > 0 and all(a != b for a, b in named)


def _are_named(rows: Sequence[Row], heads: Row, image: int, mask: int) -> bool:
    """Whether two columns that may name the same files, as images and masks that are called alike, name an
    image and its mask: by their headings, or without these as names of pictures that come once each."""
    if max(image, mask) < len(heads):
        return _says(heads[image], IMAGE_HEADS) and _says(heads[mask], MASK_HEADS)
    columns = [[row[one] for row in rows if len(row) > one] for one in (image, mask)]
    return not heads and all(
        len(set(cells)) == len(cells) and all(ending_of(cell) in PICTURES for cell in cells)
        for cells in columns
    )


def _may_be_named(rows: Sequence[Row], image: int, mask: int, index: PathIndex, path: str) -> bool:
    """Whether two columns without headings that tell may name images and masks which are called alike: in
    nearly all rows both name pictures, once each, and not the same ones, as `3,7`."""
    pairs = [(row[image], row[mask]) for row in rows if len(row) > max(image, mask)]
    if (
        len(pairs) <= _FEW
        or all(a == b for a, b in pairs)
        or any(len({*cells}) < len(pairs) for cells in zip(*pairs, strict=True))
    ):
        return False
    named = [pair for pair in pairs[:TRIED] if all(index.find(cell, path) for cell in pair)]
    return len(named) >= _NEARLY_ALL * min(len(pairs), TRIED)


def _split_column(rows: Sequence[Row], heads: Row) -> int | None:
    """The column of splits: by its heading and a split in it, else one that holds nothing but splits."""
    for column in range(max(map(len, rows[:TRIED]), default=0)):
        cells = [row[column] for row in rows if column < len(row)]
        splits = [known_split(cell) for cell in cells]
        said = column < len(heads) and heading_words(heads[column]) & SPLIT_HEADS
        if (said and any(splits)) or (None not in splits and len(set(splits)) > 1):
            return column
    return None
