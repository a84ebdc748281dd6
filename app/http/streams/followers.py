"""Who follows: what each kind of follower is told of an event, of a log, and in silence."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.http.streams.feed_forms import Form
from app.http.streams.framing import Framing
from app.service.run_outputs.event_feed import FeedQuery
from app.service.run_outputs.events import is_end
from app.service.run_outputs.log_lines import LogLines
from trainyard.registry.event_log import order
from trainyard.runs.events import StatusChanged
from trainyard.store.runs.event_feed import FeedEntry


class Unplaced(Exception):
    """A process of an earlier release has told an event without its id in the stream of its run."""


@dataclass(frozen=True, kw_only=True)
class FollowedLog:
    """A log that one follower is told of as it grows."""

    read: Callable[[], Any]
    """The next piece of what is there by now, or nothing."""
    encoded: Callable[[Any], bytes]
    """A piece as it is sent, which the follower then has."""


class Follower:
    """One client on its socket, told all of the feed up to the id `seen`."""

    run_id: str | None = None
    """The run with whose end the stream ends; None where it goes on for ever."""
    sharing: str | None = None
    """Followers of one form and of the same `sharing` are told of an event in the same words."""
    knows_end = False
    """Whether it has been told how its run has ended."""

    def __init__(self, sock: socket.socket, form: Form, framing: Framing, seen: str) -> None:
        self.sock = sock
        self.form = form
        self.framing = framing
        self.seen = seen
        self.logs: Sequence[FollowedLog] = ()
        self.waiting = bytearray()
        self.told_at = time.monotonic()
        self.is_ending = False
        """Whether it is to be let go once it has taken what waits."""
        self.quiet_since = self.told_at
        """Since when there has been nothing of its logs, nor an event that it wants."""
        self.is_told_log = False
        """Whether a piece of a log is on its way to it."""

    def wants(self, entry: FeedEntry) -> bool:
        """Whether it is told of an event, which then counts as told; raises Unplaced."""
        return False

    def encoded(self, entry: FeedEntry) -> bytes:
        """An event that it wants."""
        return b""

    def sign_of_life(self) -> bytes:
        """What is sent in silence."""
        return b""


class FeedFollower(Follower):
    """Of many runs."""

    sharing = "feed"

    def __init__(
        self, sock: socket.socket, form: Form, framing: Framing, seen: str, query: FeedQuery
    ) -> None:
        super().__init__(sock, form, framing, seen)
        self._query = query

    def follow_log(self, lines: LogLines, about: dict[str, Any]) -> None:
        """Be told lines of a log, too, with what they are about, under the id of the event before."""
        log = FollowedLog(
            read=lines.next, encoded=lambda piece: self.form.entry(self.seen, {**piece, **about})
        )
        self.logs = (*self.logs, log)

    def wants(self, entry: FeedEntry) -> bool:
        """As its query says."""
        self.seen = entry.id
        return self._query.wants(entry)

    def encoded(self, entry: FeedEntry) -> bytes:
        """With the run's id and project."""
        return self.form.entry(entry.id, entry.event())

    def sign_of_life(self) -> bytes:
        """How far the stream has been read."""
        return self.form.entry(self.seen, None)


class RunFollower(Follower):
    """Of one run, until it ends; `last` is the newest event that it has, by the stream of its run.

    With the lines of the log, ids tell after a colon where in it to go on.
    """

    def __init__(
        self,
        sock: socket.socket,
        form: Form,
        framing: Framing,
        seen: str,
        *,
        run_id: str,
        last: str,
        kinds: frozenset[str] | None,
        lines: LogLines | None = None,
        knows_end: bool = False,
    ) -> None:
        super().__init__(sock, form, framing, seen)
        self.run_id = run_id
        self.knows_end = knows_end
        self._last = last
        self._kinds = kinds
        self._offset: int | None = None
        self.sharing = "run"
        if lines:
            self.sharing = None
            self._offset = lines.offset
            self.logs = (FollowedLog(read=lines.next, encoded=self._log_entry),)

    def wants(self, entry: FeedEntry) -> bool:
        """An event of its run that it does not have yet, of the kinds that are wanted."""
        self.seen = entry.id
        if entry.run_id != self.run_id:
            return False
        if entry.own_id is None:
            raise Unplaced
        if order(entry.own_id) <= order(self._last):
            return False
        self._last = entry.own_id
        self.knows_end = entry.kind == StatusChanged.name and is_end(entry.own_event())
        return self._kinds is None or entry.kind in self._kinds

    def encoded(self, entry: FeedEntry) -> bytes:
        """Under its id in the stream of the run."""
        return self.form.entry(self._place, entry.own_event())

    def sign_of_life(self) -> bytes:
        """That it lives."""
        return self.form.sign_of_life

    @property
    def _place(self) -> str:
        return self._last if self._offset is None else f"{self._last}:{self._offset}"

    def _log_entry(self, piece: dict[str, Any]) -> bytes:
        self._offset = piece["offset"]
        return self.form.entry(self._place, piece)


class LogFollower(Follower):
    """Of a run's log alone, as it is written, until the run has ended."""

    def __init__(
        self,
        sock: socket.socket,
        form: Form,
        framing: Framing,
        seen: str,
        *,
        run_id: str,
        read: Callable[[], bytes],
    ) -> None:
        super().__init__(sock, form, framing, seen)
        self.run_id = run_id
        self.logs = (FollowedLog(read=read, encoded=lambda piece: bytes(piece)),)
