"""The events of a run so far, from any point on, out of Redis and events.jsonl together."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from app.service.run_outputs.log_lines import LogLines
from trainyard.errors import InvalidRequest
from trainyard.registry.event_log import EventLogReader, order
from trainyard.registry.runs import RunRegistry
from trainyard.runs.events import StatusChanged
from trainyard.runs.record import ACTIVE, RunStatus
from trainyard.storage.files import Storage

Entry: TypeAlias = tuple[str, dict[str, Any]]

BEGINNING = "0-0"
_ID = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?\Z", re.ASCII)
_ID_LIMIT = 2**64
OFFSET_DIGITS = 16


def checked_event_id(text: str | None) -> str:
    """The id to go on from, the beginning where none is given; raises InvalidRequest."""
    if not text:  # a browser that has seen no id yet may send an empty one
        return BEGINNING
    match = _ID.match(text)
    if not match or any(int(part or 0) >= _ID_LIMIT for part in match.groups()):
        raise InvalidRequest(
            "This is no event id.", errors={"Last-Event-ID": ["an id that this stream sent, <ms>-<n>"]}
        )
    return f"{match[1]}-{match[2] or 0}"


def checked_place(text: str | None) -> str:
    """As `checked_event_id`, of a stream with log lines: after a colon an id has an offset in the log."""
    event_id, _, offset = (text or "").partition(":")
    if offset and not (offset.isascii() and offset.isdecimal() and len(offset) <= OFFSET_DIGITS):
        checked_event_id("no id")
    return f"{checked_event_id(event_id)}:{offset or 0}"


class RunEvents:
    """Reads what runs have told."""

    def __init__(self, runs: RunRegistry, storage: Storage) -> None:
        self._runs = runs
        self._storage = storage

    def has_ended(self, run_id: str) -> bool:
        """Whether the run is over; raises NotFound."""
        return self._runs.get(run_id).status not in ACTIVE

    def log_lines(self, run_id: str, offset: int) -> LogLines:
        """The log of the run from an offset on; raises NotFound."""
        return LogLines(self._storage.run(self._runs.get(run_id).id).log, offset)

    def so_far(self, run_id: str, after: str, lines: LogLines | None = None) -> Iterator[Entry]:
        """Each event later than `after` once, in order, up to now; then lines of the log, under its id.

        With lines ids tell after a colon where in the log to go on. Raises StoreUnavailable and
        StorageUnavailable.
        """
        log, last, is_more_there = EventLogReader(self._storage.run(run_id).events), after, True
        while is_more_there:
            is_more_there = False
            for event_id, event in self._later(run_id, log, last):
                last, is_more_there = event_id, True
                yield last if lines is None else f"{last}:{lines.offset}", event
        while lines and (log_event := lines.next()):
            yield f"{last}:{lines.offset}", log_event

    def _later(self, run_id: str, log: EventLogReader, last: str) -> Iterator[Entry]:
        """What is later than `last` by now. What the stream has let go meanwhile comes from the file."""
        found = self._runs.live.read(run_id, last, 1)
        oldest = self._runs.live.first_id(run_id)
        if oldest is None or order(last) < order(oldest):
            yield from log.between(last, found[0][0] if found else None)
        yield from found


def is_end(event: dict[str, Any]) -> bool:
    """Whether it tells that a run has ended."""
    return event.get("event") == StatusChanged.name and RunStatus(event["status"]) not in ACTIVE
