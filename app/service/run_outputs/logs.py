"""The training log of a run: its end, any part of it, and what is still to come.

It lies in storage, where each attempt's supervisor carries it line by line: whoever trains or trained the run
need not be there.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.service.requests.shutdown import Shutdown
from app.service.requests.slots import IsGone, never
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import ACTIVE
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from trainyard.storage.log_tail import last_lines

MAX_LOG_LINES = 10_000
MAX_PART_BYTES = 4 << 20
"""As much of a log as one answer holds in memory."""
LOOK_S = 0.5
"""How often a log that is followed is looked at; its supervisor carries it as often."""
IDLE_LOOKS = 2
"""Looks without news after which a log of a run that has ended is at its end."""


@dataclass(frozen=True, kw_only=True)
class LogPart:
    """Bytes of a log, and the offset of what comes after them."""

    content: bytes
    next_offset: int


class RunLogs:
    """Reads logs. Every method raises NotFound for a run that does not exist, and StorageUnavailable."""

    def __init__(
        self, runs: RunRegistry, storage: Storage, shutdown: Shutdown, look_s: float = LOOK_S
    ) -> None:
        self._runs = runs
        self._storage = storage
        self._shutdown = shutdown
        self._look_s = look_s

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

    def follow(self, run_id: str, offset: int, is_gone: IsGone = never) -> Iterator[bytes]:
        """What is later than the offset, then what comes, until the run has ended.

        Ends soon after the client is gone, too, or when the server stops.
        """
        path, idle = self._path(run_id), 0
        while not self._shutdown.is_near and not is_gone():
            has_ended = self._runs.get(run_id).status not in ACTIVE  # asked first: its last lines come before
            part = read_part(path, offset, MAX_PART_BYTES)
            offset = part.next_offset
            if part.content:
                idle = 0
                yield part.content
                continue
            idle += 1
            if has_ended and idle > IDLE_LOOKS:
                return
            time.sleep(self._look_s)

    def _path(self, run_id: str) -> Path:
        return self._storage.run(self._runs.get(run_id).id).log


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
