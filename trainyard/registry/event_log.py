"""A run's lasting events: on its stream in Redis, and under the same ids in events.jsonl, one a line."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from trainyard.runs.events import Event, to_dict
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder
from trainyard.store.runs.run_streams import LiveStore

logger = logging.getLogger(__name__)

FIRST = "0-0"
"""Before every event."""
TAIL_BYTES = 1 << 20
"""Where the last whole line is looked for: an error with the end of a log takes 200 kB."""


def publish(live: LiveStore, folder: RunFolder, run_id: str, event: Event) -> None:
    """Put an event on the stream and into the file; raises StoreUnavailable and StorageUnavailable."""
    keep(folder, live.append(run_id, event, lambda: last_id(folder)), event)


def keep(folder: RunFolder, event_id: str, event: Event) -> None:
    """Put an event of the stream into the file; raises StorageUnavailable, after which the same may be tried
    again: what was written of it is passed over, and so is a second copy.
    """
    line = json.dumps({"id": event_id, **to_dict(event)}) + "\n"
    try:
        with folder.events.open("a+b") as file:
            # A line that was torn when its writer died or the disk was full ends here, and costs no other.
            file.write((b"" if _ends_whole(file) else b"\n") + line.encode())
    except OSError as error:
        raise storage_error("events.jsonl could not be written", error) from error


def last_id(folder: RunFolder) -> str:
    """The id of the newest event in the file; FIRST where it has none, or cannot be read now."""
    try:
        with folder.events.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return FIRST
    except OSError as error:
        logger.warning("%s cannot be read: %s", folder.events, error.strerror)
        return FIRST
    return max((_parsed(line)[0] for line in lines), key=order, default=FIRST)


def order(event_id: str) -> tuple[int, int]:
    """What event ids, `<ms>-<n>`, are ordered by."""
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number or 0)


class EventLogReader:
    """Reads events.jsonl forward; each call goes on where the one before stopped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def between(self, after: str, before: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Events later than `after` and, where `before` is given, earlier than it, each once.

        A line that is still being written waits for the next call.
        """
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while (line := file.readline()).endswith(b"\n"):
                event_id, event = self._parse(line)
                if before and order(event_id) >= order(before):
                    return
                self._offset = file.tell()
                if order(event_id) > order(after):
                    after = event_id  # a writer that tried again may have written it twice
                    yield event_id, event

    def _parse(self, line: bytes) -> tuple[str, dict[str, Any]]:
        event_id, event = _parsed(line)
        if event_id == FIRST:
            logger.warning("%s holds a broken line near byte %d", self._path, self._offset)
        return event_id, event


def _ends_whole(file: IO[bytes]) -> bool:
    """Whether nothing is there, or the last line is whole."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _parsed(line: bytes) -> tuple[str, dict[str, Any]]:
    """The line's id and event; a line torn by a crash counts as older than every event."""
    try:
        event = dict(json.loads(line))
        event_id = str(event.pop("id"))
        order(event_id)
    except (ValueError, KeyError, TypeError):
        return FIRST, {}
    return event_id, event
