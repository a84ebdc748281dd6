"""The events of all runs as they come, on one stream, so that many are followed at once."""

import json
from dataclasses import dataclass
from typing import Any, cast

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

BEFORE_ALL = "0-0"
"""Before every event."""


@dataclass(frozen=True, kw_only=True)
class FeedEntry:
    """One event of the stream: its id there, whose it is, its kind, and what it says as JSON text.

    `own_id` is its id in the stream of its run; None where a process of an earlier release has told it.
    """

    id: str
    run_id: str
    project: str
    kind: str
    text: str
    own_id: str | None = None

    def own_event(self) -> dict[str, Any]:
        """The event as JSON data, as the stream of its run has it."""
        return dict(json.loads(self.text))

    def event(self) -> dict[str, Any]:
        """The event as JSON data, with `run_id` and `project`."""
        return {**self.own_event(), "run_id": self.run_id, "project": self.project}


class EventFeed:
    """Reads the stream."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, after: str, wait_ms: int, count: int = 500) -> list[FeedEntry]:
        """Events later than the id `after`, waiting up to `wait_ms` for the first one."""
        with store_errors():
            answer: Any = self._client.xread({keys.ALL_EVENTS: after}, count=count, block=wait_ms)
        streams = answer.values() if isinstance(answer, dict) else (entries for _, entries in answer or [])
        return [_entry(entry_id, fields) for entries in streams for entry_id, fields in entries]

    def first_id(self) -> str:
        """The id of the oldest event that is still there; BEFORE_ALL where there is none."""
        with store_errors():
            return _id_of(self._client.xrange(keys.ALL_EVENTS, count=1))

    def last_id(self) -> str:
        """The id of the newest event; BEFORE_ALL where there is none."""
        with store_errors():
            return _id_of(self._client.xrevrange(keys.ALL_EVENTS, count=1))


def _id_of(answer: Any) -> str:
    found = cast("list[tuple[str, Any]]", answer)
    return str(found[0][0]) if found else BEFORE_ALL


def _entry(entry_id: str, fields: dict[str, str]) -> FeedEntry:
    return FeedEntry(
        id=entry_id,
        run_id=fields["run"],
        project=fields["project"],
        kind=fields["kind"],
        text=fields["data"],
        own_id=fields.get("own"),
    )
