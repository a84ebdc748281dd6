"""The events of many runs in one stream, from any point on."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.service.run_outputs.log_lines import LOG, LogLines
from trainyard.errors import NotFound
from trainyard.registry.event_log import order
from trainyard.registry.runs import RunRegistry
from trainyard.storage.files import Storage
from trainyard.storage.ids import is_id
from trainyard.store.runs.event_feed import BEFORE_ALL, EventFeed, FeedEntry

GAP = {
    "event": "gap",
    "message": "Events after your last one are no longer kept here. Read the runs anew; what follows is new.",
}
READERS = 8
"""How many begin at a time: hundreds may come at once, each with a connection of its own to Redis."""
PAGE = 500
"""Events that are read at a time."""
Entry: TypeAlias = tuple[str, dict[str, Any] | None]
"""An event with its id; None says only how far the stream has been read."""


@dataclass(frozen=True, kw_only=True)
class FeedQuery:
    """Whose events are wanted: of these runs, this project, of these kinds; None where it does not matter."""

    run_ids: frozenset[str] | None = None
    project: str | None = None
    kinds: frozenset[str] | None = None

    def wants(self, entry: FeedEntry) -> bool:
        """Whether the event is wanted."""
        return (
            (self.run_ids is None or entry.run_id in self.run_ids)
            and self.project in (None, entry.project)
            and (self.kinds is None or entry.kind in self.kinds)
        )


class EventFeedService:
    """Follows many runs."""

    def __init__(self, feed: EventFeed, runs: RunRegistry, storage: Storage) -> None:
        self._feed = feed
        self._runs = runs
        self._storage = storage
        self._reading = threading.BoundedSemaphore(READERS)

    def require_runs(self, query: FeedQuery) -> None:
        """Raise NotFound where none of the runs that are wanted is there, so that nothing would ever come.

        One that was deleted beside others is no mistake: whoever connects again asks as before.
        """
        wanted = sorted(query.run_ids or ())
        if not wanted or self._runs.names(wanted):
            return
        absent = next((self._runs.absent(one) for one in wanted if is_id(one)), NotFound())
        if isinstance(absent, NotFound):
            absent = NotFound("None of these runs is here.", errors={"runs": ["ids of runs that are here"]})
        raise absent

    def begin(self, after: str | None) -> list[Entry]:
        """What a stream from `after` on begins with; last, from where it is read. Raises StoreUnavailable."""
        with self._reading:
            newest = self._feed.last_id()
            if after is None:
                return [(newest, None)]
            if not self._has_lost(after, newest):
                return [(after, None)]
        last = after if order(after) < order(newest) else BEFORE_ALL
        return [(last, GAP), (last, None)]

    def kept(self, query: FeedQuery, last: str) -> Iterator[Entry]:
        """Each wanted event that is there later than `last`, and how far was read at last.

        Raises StoreUnavailable.
        """
        while entries := self._page(last):
            last = entries[-1].id
            yield from ((entry.id, entry.event()) for entry in entries if query.wants(entry))
            yield last, None
            if len(entries) < PAGE:
                return

    def _page(self, last: str) -> list[FeedEntry]:
        with self._reading:
            return self._feed.read(last, 1, PAGE)

    def logs(self, query: FeedQuery) -> list[tuple[LogLines, dict[str, Any]]]:
        """The logs that are wanted, from now on, each with what its events say of its run.

        Raises NotFound.
        """
        if query.run_ids is None or query.kinds is None or LOG not in query.kinds:
            return []
        found = [self._runs.get(run_id) for run_id in sorted(query.run_ids)]
        return [
            (LogLines.from_now(self._storage.run(run.id).log), {"run_id": run.id, "project": run.project})
            for run in found
        ]

    def _has_lost(self, after: str, newest: str) -> bool:
        """Whether events between `after` and what is kept may be gone: dropped as too old, or with a Redis
        that was emptied, whose ids may even be lower."""
        if after == BEFORE_ALL:  # nothing had come when its client asked
            return False
        return order(after) < order(self._feed.first_id()) or order(after) > order(newest)
