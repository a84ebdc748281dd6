"""Tells a split from the path of a file."""

import re
from pathlib import PurePosixPath

from workers.ingest.layout import SPLIT_FOLDERS

_LETTERS = re.compile(r"[a-z]+")


def folder_split(path: str) -> str | None:
    """The split that a folder of the path names, the innermost first: `train2017/a.jpg` is of train."""
    return _last_split(PurePosixPath(path).parts[:-1])


def file_split(path: str) -> str | None:
    """The split that the file's name or else a folder names: `annotations/instances_val.json` is of val."""
    return _last_split(PurePosixPath(path).parts)


def _last_split(parts: tuple[str, ...]) -> str | None:
    words = [word for part in parts for word in _LETTERS.findall(part.casefold())]
    return next((SPLIT_FOLDERS[word] for word in reversed(words) if word in SPLIT_FOLDERS), None)
