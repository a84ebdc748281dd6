"""The training log of a run: its end, any part of it, and what is still to come.

It lies in storage, where each attempt's supervisor carries it line by line: whoever trains or trained the run
need not be there.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from trainyard.registry.runs import RunRegistry
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from trainyard.storage.log_tail import last_lines

MAX_LOG_LINES = 10_000
MAX_PART_BYTES = 4 << 20
"""As much of a log as one answer holds in memory."""
PIECE_BYTES = 64 * 1024
"""Of a log that is followed, as it is read at a time."""


@dataclass(frozen=True, kw_only=True)
class LogPart:
    """Bytes of a log, and the offset of what comes after them."""

    content: bytes
    next_offset: int


class RunLogs:
    """Reads logs. Every method raises NotFound for a run that does not exist, and StorageUnavailable."""

    def __init__(self, runs: RunRegistry, storage: Storage) -> None:
        self._runs = runs
        self._storage = storage

    def file(self, run_id: str) -> Path | None:
        """The whole log; None before there is one."""
        path = self._path(run_id)
        return path if path.is_file() else None

    def tail(self, run_id: str, lines: int) -> LogPart:
        """The last lines; nothing before there is a log."""
        path = self._path(run_id)
        try:
            content = last_lines(path, lines)
            return LogPart(content=content, next_offset=path.stat().st_size)
        except FileNotFoundError:
            return LogPart(content=b"", next_offset=0)
        except OSError as error:
            raise storage_error("The log could not be read", error) from error

    def part(self, run_id: str, offset: int, most: int = MAX_PART_BYTES) -> LogPart:
        """Up to `most` bytes from the offset on; nothing beyond the end, whose offset then follows."""
        return read_part(self._path(run_id), offset, most)

    def reader(self, run_id: str, offset: int) -> "LogReader":
        """Reads the log forward from the offset on."""
        return LogReader(self._path(run_id), offset)

    def _path(self, run_id: str) -> Path:
        return self._storage.run(self._runs.get(run_id).id).log


class LogReader:
    """Reads a log forward as it grows."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path = path
        self._offset = offset

    def next(self) -> bytes:
        """The next of what is there by now; raises StorageUnavailable."""
        part = read_part(self._path, self._offset, PIECE_BYTES)
        self._offset = part.next_offset
        return part.content


def read_part(path: Path, offset: int, most: int) -> LogPart:
    """Up to `most` bytes of a file from the offset on, or from its end; raises StorageUnavailable."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            begin = file.seek(min(offset, end))
            content = file.read(most)
    except FileNotFoundError:
        return LogPart(content=b"", next_offset=0)
    except OSError as error:
        raise storage_error("The log could not be read", error) from error
    return LogPart(content=content, next_offset=begin + len(content))
