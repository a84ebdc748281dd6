"""The events of a run, from any point on and until its end, out of Redis and events.jsonl together."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from app.service.requests.shutdown import Shutdown
from app.service.requests.slots import IsGone, never
from app.service.run_outputs.log_lines import LogLines
from trainyard.errors import InvalidRequest
from trainyard.registry.event_log import EventLogReader, order
from trainyard.registry.runs import RunRegistry
from trainyard.runs.events import StatusChanged
from trainyard.runs.record import ACTIVE, RunStatus
from trainyard.storage.files import Storage

Entry: TypeAlias = tuple[str, dict[str, Any]]

BEGINNING = "0-0"
PIECE_MS = 1000
"""One wait for news; also how soon a stream notices that the server ends."""
KEEP_ALIVE_S = 10.0
"""Silence after which a sign of life is due; only by writing does a server notice that a client is gone."""
GRACE_PIECES = 2
"""Waits for the last event of a run whose record has ended: it is published just after."""
MAX_STREAMS = 48
"""Streams at a time; each holds a thread of the server, which has more of them than this."""
_ID = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?\Z", re.ASCII)
_ID_LIMIT = 2**64
OFFSET_DIGITS = 16
Beside: TypeAlias = Callable[[], Iterator[dict[str, Any]]]
"""What else there is by now of a run; asked again and again."""


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


def _nothing() -> Iterator[dict[str, Any]]:
    yield from ()


class RunEvents:
    """Follows runs."""

    def __init__(
        self, runs: RunRegistry, storage: Storage, shutdown: Shutdown, keep_alive_s: float = KEEP_ALIVE_S
    ) -> None:
        self._runs = runs
        self._storage = storage
        self._shutdown = shutdown
        self._keep_alive_s = keep_alive_s

    def has_ended(self, run_id: str) -> bool:
        """Whether the run is over; raises NotFound."""
        return self._runs.get(run_id).status not in ACTIVE

    def follow_with_log(self, run_id: str, place: str, is_gone: IsGone = never) -> Iterator[Entry | None]:
        """As `follow`, with the lines of the run's log among the events, as they come.

        Ids, such as `place`, tell after a colon where in the log to go on. Raises StorageUnavailable, too.
        """
        after, _, offset = place.partition(":")
        lines = LogLines(self._storage.run(run_id).log, int(offset or 0))
        for entry in self.follow(run_id, after, is_gone, lines.events):
            yield entry and (f"{entry[0]}:{lines.offset}", entry[1])

    def follow(
        self, run_id: str, after: str, is_gone: IsGone = never, beside: Beside = _nothing
    ) -> Iterator[Entry | None]:
        """Each event later than `after` once, in order, then those to come; None where a sign of life is due.

        What is `beside` goes among them, under the id of the event before. It ends after the event with which
        the run ended, and soon after the client is gone. Raises NotFound and StoreUnavailable.
        """
        log = EventLogReader(self._storage.run(run_id).events)
        last, is_final, idle_pieces, heard_at = after, False, 0, time.monotonic()
        wait_ms = 1
        while not self._shutdown.is_near and not is_gone():
            ended = self.has_ended(run_id)
            if ended and ((is_final and idle_pieces) or idle_pieces > GRACE_PIECES):
                yield from ((last, event) for event in beside())
                return
            idle_pieces += 1
            pause = 1 if is_final else wait_ms  # nothing is left to wait for, unless the run was resumed
            for last, event in self._later(run_id, log, last, pause):  # noqa: B020 - `last` moves on
                yield last, event
                is_final, idle_pieces, heard_at = _is_end(event), 0, time.monotonic()
            for event in beside():
                yield last, event
                heard_at = time.monotonic()
            if time.monotonic() - heard_at >= self._keep_alive_s:
                yield None
                heard_at = time.monotonic()
            wait_ms = PIECE_MS

    def _later(self, run_id: str, log: EventLogReader, last: str, wait_ms: int) -> Iterator[Entry]:
        """What is later than `last` by now. What the stream has let go meanwhile comes from the file."""
        found = self._runs.live.read(run_id, last, wait_ms)
        oldest = self._runs.live.first_id(run_id)
        if oldest is None or order(last) < order(oldest):
            yield from log.between(last, found[0][0] if found else None)
        yield from found


def _is_end(event: dict[str, Any]) -> bool:
    return event.get("event") == StatusChanged.name and RunStatus(event["status"]) not in ACTIVE
