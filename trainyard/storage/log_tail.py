"""The end of a log, whatever the length of the whole."""

import os
from pathlib import Path

from trainyard.storage.errors import storage_error

LOG_BLOCK = 64 * 1024
"""Bytes read at a time."""
LOG_LIMIT = 16 * 1024 * 1024
"""No more than the last so many bytes of a log are looked at, however long its lines are."""
FAILURE_LINES = 200
"""Lines that a failure takes along."""
FAILURE_LINE_LENGTH = 1000
"""Characters of each of these lines; the log itself has all of it."""


def last_lines(path: Path, lines: int) -> bytes:
    """The last `lines` lines, read backwards block by block; raises OSError."""
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        first = max(0, position - LOG_LIMIT)
        blocks: list[bytes] = []
        newlines = 0
        while position > first and newlines <= lines:
            size = min(LOG_BLOCK, position - first)
            position = file.seek(position - size)
            blocks.append(file.read(size))
            newlines += blocks[-1].count(b"\n")
    return b"".join(b"".join(reversed(blocks)).splitlines(keepends=True)[-lines:])


def failure_lines(path: Path) -> list[str]:
    """The last lines of a run's log as its failure shows them, oldest first; none where there is no log."""
    try:
        content = last_lines(path, FAILURE_LINES)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [storage_error("The log could not be read", error).message]
    return [line.decode(errors="replace")[:FAILURE_LINE_LENGTH] for line in content.splitlines()]
