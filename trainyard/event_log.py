"""A run's lasting events: on its stream in Redis, and under the same ids in events.jsonl, one a line."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainyard.events import Event, to_dict
from trainyard.storage import RunFolder
from trainyard.storage_errors import storage_error
from trainyard.store.live import LiveStore

logger = logging.getLogger(__name__)


def publish(live: LiveStore, folder: RunFolder, run_id: str, event: Event) -> None:
    """Put an event on the stream and into the file; raises StoreUnavailable and StorageUnavailable."""
    keep(folder, live.append(run_id, event), event)


def keep(folder: RunFolder, event_id: str, event: Event) -> None:
    """Put an event of the stream into the file; raises StorageUnavailable."""
    line = json.dumps({"id": event_id, **to_dict(event)}) + "\n"
    try:
        with folder.events.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise storage_error("events.jsonl could not be written", error) from error


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
        """Events later than `after` and, where `before` is given, earlier than it.

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
                    yield event_id, event

    def _parse(self, line: bytes) -> tuple[str, dict[str, Any]]:
        """The line's id and event; a line torn by a crash counts as older than every event."""
        try:
            event = dict(json.loads(line))
            return str(event.pop("id")), event
        except (ValueError, KeyError):
            logger.warning("%s holds a broken line near byte %d", self._path, self._offset)
            return "0-0", {}
