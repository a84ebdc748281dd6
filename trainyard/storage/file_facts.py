"""What tells files apart without reading them."""

import os
from collections.abc import Iterator
from pathlib import Path

from trainyard.storage.errors import storage_error


def file_facts(source: Path) -> list[tuple[str, int, int]]:
    """Path from `source`, bytes and time of writing in ns of it, or of each file below it, by path.

    They differ as soon as a file is added, removed, written or renamed. Raises StorageUnavailable.
    """
    try:
        return sorted(_facts(source))
    except OSError as error:
        raise storage_error(f"{source} cannot be read", error) from error


def _facts(source: Path) -> Iterator[tuple[str, int, int]]:
    if source.is_file():
        yield "", source.stat().st_size, source.stat().st_mtime_ns
        return
    for folder, _, names in os.walk(source):
        for name in names:
            path = Path(folder, name)
            status = path.lstat()
            yield str(path.relative_to(source)), status.st_size, status.st_mtime_ns
