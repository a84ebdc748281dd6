"""Names of the folds of a cross-validation, as files, folders, headings and keys of JSON write them."""

import re
from pathlib import PurePosixPath

from workers.ingest.splits.lists.list_rows import heading_words

FOLD_HEADS = frozenset(("fold", "folds", "kfold", "foldid"))
"""Words of the headings of columns."""

MOST_FOLDS = 10
"""Numbers that are folds where nothing calls them so; more count groups, such as patients."""

_NUMBERED = re.compile(
    r"(?<![^\W\d_])(?:train|val|valid|test)?(?:k?folds?|cv)[\W_]*(?P<number>\d{1,3})(?!\d)", re.IGNORECASE
)
_OF_FOLDS = re.compile(
    r"(?<![^\W\d_])(?:k?folds?|cv|cross[\W_]?val(?:idation)?)(?![^\W\d_])|\Asplits_final\Z", re.IGNORECASE
)
"""A name of all folds: `5fold`, `folds`, `cv_splits`; splits_final.json is nnU-Net's."""
_NUMBER = re.compile(r"\d{1,3}")
_WHOLE = re.compile(r"-?\d{1,3}(?:\.0)?")
_LOOKED_AT = 2
"""Folders above a file of which the names are looked at."""


def fold_of_path(path: str) -> str | None:
    """The fold that a file is of: of `fold_0.txt`, `fold0/train.txt`, `folds/0.txt`, `folds/train_0.txt`."""
    pure = PurePosixPath(path)
    parts = [*pure.parent.parts[-_LOOKED_AT:], pure.stem]
    for part in reversed(parts):
        if found := _NUMBERED.search(part):
            return str(int(found["number"]))
    for place, part in enumerate(parts[:-1]):
        if _OF_FOLDS.search(part):
            numbers = [_NUMBER.findall(later) for later in reversed(parts[place + 1 :])]
            return next((str(int(some[0])) for some in numbers if len(some) == 1), None)
    return None


def without_fold(name: str) -> str:
    """A name without the words and the number of its fold: what is left may be that of a split."""
    return _OF_FOLDS.sub(" ", _NUMBERED.sub(" ", name))


def tells_folds(path: str) -> bool:
    """Whether the own name of a file says that it lists folds or one of them."""
    pure = PurePosixPath(path)
    stem = pure.stem
    if _NUMBERED.search(stem) or _OF_FOLDS.search(stem):
        return True
    return _NUMBER.fullmatch(stem) is not None and _OF_FOLDS.search(pure.parent.name) is not None


def names_fold(name: str) -> bool:
    """Whether a name is that of a fold and of nothing else: `fold_0`, `Fold 1`."""
    return _NUMBERED.fullmatch(name.strip()) is not None


def fold_of_cell(text: str) -> str | None:
    """The fold that a cell or a key names: its number where it is one; None where it is empty or below 0."""
    text = text.strip()
    if found := _NUMBERED.fullmatch(text):
        return str(int(found["number"]))
    if _WHOLE.fullmatch(text):
        number = int(text.partition(".")[0])
        return str(number) if number >= 0 else None
    return text if text and text.casefold() not in ("nan", "none", "null", "na") else None


def heads_folds(heading: str) -> bool:
    """Whether the heading of a column, or a key, says that folds are in it."""
    return bool(heading_words(heading) & FOLD_HEADS)


def in_order(folds: set[str]) -> list[str]:
    """Names of folds: numbers by size, others by letters."""
    return sorted(folds, key=lambda fold: (not fold.isdecimal(), int(fold) if fold.isdecimal() else 0, fold))


def number_of_path(path: str) -> str | None:
    """The only number in a file's name, else in that of its folder: `train_0.txt`, `split1/train.txt`."""
    pure = PurePosixPath(path)
    for name in (pure.stem, pure.parent.name):
        if numbers := _NUMBER.findall(name):
            return str(int(numbers[0])) if len(numbers) == 1 else None
    return None
