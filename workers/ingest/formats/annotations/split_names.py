"""Tells a split from the path of a single file, where the rest of the set is not known."""

from pathlib import PurePosixPath

from workers.ingest.paths.split_words import split_name


def file_split(path: str) -> str | None:
    """The split that the file's name or else a folder names, the innermost first: a hint, since other files
    of the set may have the same word."""
    file = PurePosixPath(path)
    names = (split_name(part) for part in (file.stem, *reversed(file.parts[:-1])))
    return next((name.split for name in names if name is not None and not name.short), None)
