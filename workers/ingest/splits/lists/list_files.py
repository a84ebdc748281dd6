"""Finds the files of an upload that list its images, and reads which image, mask and split each row names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.split_words import split_name
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import Refused
from workers.ingest.splits.lists.fold_names import (
    FOLD_HEADS,
    MOST_FOLDS,
    fold_of_cell,
    fold_of_path,
    tells_folds,
    without_fold,
)
from workers.ingest.splits.lists.fold_rows import folds_of_entries, folds_of_rows, rows_of_folds
from workers.ingest.splits.lists.list_rows import (
    IMAGE_HEADS,
    MASK_HEADS,
    OBJECT_HEADS,
    SPLIT_HEADS,
    Row,
    heading_words,
    json_rows,
    known_split,
    likely_split,
    names_in,
    text_rows,
)
from workers.ingest.splits.lists.split_flags import (
    are_numbers,
    flag_columns,
    number_column,
    parted_last,
    split_of_flags,
)
from workers.ingest.text.text_files import MAX_BYTES, read_list
from workers.ingest.text.typed_json import parse_json

MAX_FILES = 100
"""Files that are read as lists, those nearest to the top."""

MAX_JSON_LIST = 4 << 20
"""Bytes of a JSON file that is read as a list; larger ones are annotations."""

_TABLES = (".csv", ".tsv")
_TEXTS = (".txt", ".lst", ".list", *_TABLES)
_OF_ALL = re.compile(r"split|partition|\Adataset\Z|\Asubsets?\Z")
_OF_SPLITS = re.compile(r"split|partition")
"""A file called so is of nothing else."""
_NUMBERED = {"0": "train", "1": "val", "2": "test"}
"""Splits as numbers, where all three are there: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html."""
_KNOWN = ("train", "val", "test")
_TRIED = 200
"""Rows by which it is told what a column holds."""
_VOC_OTHERS = frozenset(("main", "layout", "action"))
"""Folders of VOC's lists that are not of segmentation."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row names, as written: an image, the mask if there is one, and the split and the fold if they
    are told."""

    image: str
    mask: str | None
    split: str | None
    fold: str | None = None


@dataclass(frozen=True)
class Listing:
    """The entries of a file; `whole` where they are of what other lists part, too (`trainval.txt`).

    `numbers`, lowest first, stand in the place of splits, and which of them trains is open. With `per_fold`
    the splits of entries are those within their fold. `fault` says why a file that tells splits by its name
    or its columns has no entries that can be used.
    """

    path: str
    entries: list[Entry]
    whole: bool = False
    numbers: tuple[str, ...] = ()
    per_fold: bool = False
    fault: str = ""

    @property
    def tells_splits(self) -> bool:
        """Whether it is meant to say splits, and not pairs or folds alone."""
        return bool(self.fault) or any(entry.split for entry in self.entries)

    @property
    def tells_folds(self) -> bool:
        """Whether it is meant to say which fold of a cross-validation images are of."""
        return any(entry.fold for entry in self.entries)


def listings(source: Source, index: PathIndex) -> list[Listing]:
    """The lists of an upload, by path; `index` has the pictures that they may name."""
    found = []
    for member in _candidates(source.members, index):
        stem = stem_of(member.path)
        try:
            listing = _listing(source, member, index)
        except Refused as refusal:
            is_of_splits = known_split(stem) or _OF_SPLITS.search(stem.casefold()) or tells_folds(member.path)
            listing = Listing(member.path, [], fault=refusal.message if is_of_splits else "")
        if listing.entries or listing.fault:
            named = split_name(stem)
            found.append(replace(listing, whole=named is not None and named.whole))
    return sorted(found, key=lambda one: one.path)


def _candidates(members: Iterable[Member], index: PathIndex) -> list[Member]:
    """The files that may be lists; those that have a picture's name are its labels."""
    may_list = [member for member in members if _may_list(member)]
    found = [member for member in may_list if not index.find(stem_of(member.path), member.path)]
    if any(member.folder == "segmentation" for member in found):
        found = [member for member in found if member.folder not in _VOC_OTHERS]
    return sorted(found, key=lambda one: (one.path.count("/"), one.path))[:MAX_FILES]


def _may_list(member: Member) -> bool:
    ending = ending_of(member.path)
    if ending in _TABLES:
        return 0 < member.size <= MAX_BYTES
    largest = MAX_JSON_LIST if ending == ".json" else MAX_BYTES if ending in _TEXTS else 0
    stem = stem_of(member.path)
    may_tell = likely_split(stem) or _is_of_all(member.path) or tells_folds(member.path)
    return 0 < member.size <= largest and bool(may_tell)


def _is_of_all(path: str) -> bool:
    return _OF_ALL.search(stem_of(path).casefold()) is not None


def _listing(source: Source, member: Member, index: PathIndex) -> Listing:
    """What the rows of a file name; no entries where it lists no images. Raises Refused."""
    path, fold = member.path, fold_of_path(member.path)
    stem = stem_of(path) if fold is None else without_fold(stem_of(path))
    split = known_split(stem) or (None if _is_of_all(path) else likely_split(stem))
    text = read_list(source, member, index.paths)
    if path.casefold().endswith(".json"):
        document = parse_json(text.encode())
        found = _of_json(document, split, path)
        names = [] if found.entries or found.fault else names_in(document, _TRIED)
        if 2 * sum(bool(index.find_first(name, path)) for name in names) > len(names):
            found = replace(found, fault="It lists pictures, and its keys are no splits.")
    else:
        rows = text_rows(text)
        found = _of_table(rows if split or fold else parted_last(rows), split, fold is not None, index, path)
    if split and not known_split(stem) and not _lists_pictures(found, index):
        return Listing(path, [])  # it is of something else, and its name no split's
    if fold is None or found.tells_folds:
        return found
    return replace(found, entries=[replace(entry, fold=fold) for entry in found.entries], per_fold=True)


def _lists_pictures(found: Listing, index: PathIndex) -> bool:
    """Whether half of what a list names, or more, are pictures of the upload."""
    tried = found.entries[:_TRIED]
    hits = sum(bool(index.find_first(entry.image, found.path)) for entry in tried)
    return 2 * hits >= len(tried) > 0


def _of_json(document: object, split: str | None, path: str) -> Listing:
    """The entries by fold or by split; of numbers that stand for splits as in a table."""
    folds = rows_of_folds(document, called_so=tells_folds(path))
    if folds:
        return Listing(path, [_entry(row.cells, 0, 1, row.split, row.fold) for row in folds], per_fold=True)
    found = json_rows(document)
    rows: Mapping[str | None, list[Row]] = dict(found.items()) if isinstance(found, dict) else {split: found}
    numbers = {key for key in rows if key is not None and key not in _KNOWN}
    if numbers == _NUMBERED.keys():
        rows, numbers = {_NUMBERED[key or ""]: some for key, some in rows.items()}, set()
    if numbers and not are_numbers(numbers):
        return _numbered_folds(rows, path)
    fold_of = folds_of_entries(document)
    entries = [_entry(row, 0, 1, part, fold_of.get(row[0])) for part, some in rows.items() for row in some]
    return Listing(path, entries, numbers=tuple(sorted(numbers, key=int)))


def _numbered_folds(rows: Mapping[str | None, list[Row]], path: str) -> Listing:
    """The entries of more numbers than there are splits."""
    if len(rows) > MOST_FOLDS:
        return Listing(path, [], fault=f"It parts the images by {len(rows)} numbers.")
    told = [(row, fold_of_cell(part or "")) for part, some in rows.items() for row in some]
    return Listing(path, [_entry(row, 0, 1, None, fold) for row, fold in told])


def _entry(row: Row, image: int, mask: int | None, split: str | None, fold: str | None = None) -> Entry:
    has_mask = mask is not None and mask < len(row)
    return Entry(row[image], row[mask] if has_mask and mask is not None else None, split, fold)


def _of_table(rows: list[Row], split: str | None, of_fold: bool, index: PathIndex, path: str) -> Listing:
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
    if any(heading_words(cell) & OBJECT_HEADS for cell in heads):
        mask = None
    folds = folds_of_rows(rows, heads, image, called_so=_is_of_all(path) or tells_folds(path))
    splits, numbers = _splits_of_rows(rows, heads, split, path, image)
    if numbers and any(folds):
        splits, numbers = [None] * len(rows), ()
    if mask is None and not (of_fold or any(splits) or any(folds)):
        return Listing(path, [])
    told = zip(rows, splits, folds, strict=True)
    named = [_entry(row, image, mask, of, fold) for row, of, fold in told if len(row) > image]
    return Listing(path, named, numbers=numbers)


def _without_images(rows: list[Row], heads: Row, split: str | None, of_fold: bool, path: str) -> Listing:
    """Of a table of which no column names pictures: the names of folders, or of something else."""
    if split or of_fold:
        return Listing(path, [_entry(row, 0, None, split) for row in rows])
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
    column, numbers = number_column(rows, heads, image, _is_of_all(path))
    cells: list[str | None] = [row[column] if column < len(row) else None for row in rows] if numbers else []
    if set(numbers) == _NUMBERED.keys():
        return [_NUMBERED[cell] if cell else None for cell in cells], ()
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
    tried = rows[:_TRIED]
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
    pairs = [(row[one], row[other]) for row in rows[:_TRIED] if len(row) > max(one, other)]
    found = [(index.find(a, path).paths, index.find(b, path).paths) for a, b in pairs]
    named = [(a, b) for a, b in found if len(a) == len(b) == 1]
    return 2 * len(named) >= len(pairs) > 0 and all(a != b for a, b in named)


def _split_column(rows: Sequence[Row], heads: Row) -> int | None:
    """The column of splits: by its heading and a split in it, else one that holds nothing but splits."""
    for column in range(max(map(len, rows[:_TRIED]), default=0)):
        cells = [row[column] for row in rows if column < len(row)]
        splits = [known_split(cell) for cell in cells]
        said = column < len(heads) and heading_words(heads[column]) & SPLIT_HEADS
        if (said and any(splits)) or (None not in splits and len(set(splits)) > 1):
            return column
    return None
