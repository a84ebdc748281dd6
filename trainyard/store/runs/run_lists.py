"""Lists of runs: filtered, sorted and paged by indexes that each change of a run keeps (`prelude.lua`)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainyard.errors import StoreUnavailable
from trainyard.runs.record import Run
from trainyard.store import keys
from trainyard.store.codec import Codec, UnreadableRecord
from trainyard.store.connection import Client, run_script
from trainyard.store.known import KnownRecords
from trainyard.store.records import REBUILDING, Page

BUDGET = 1000
"""Runs that one script looks at: Redis serves nobody else meanwhile, for a millisecond or two."""
CREATED_AT = "created_at"
_LISTED = "listed:"
"""Before the names of fields that go beside a run's record."""
_SEARCHED = ("name", "notes", "tags", "group")


@dataclass(frozen=True, kw_only=True)
class RunQuery:
    """Which runs are wanted, and in which order.

    Of `statuses` a run has one, of `tags` all. `created_after` and `created_before` are seconds since 1970,
    and themselves left out. `text` is found in id, name, notes, tags or group, whatever its case. `sort` is
    created_at, started_at, ended_at, or `best.` or `last.` with a metric; runs without such a value come
    last. `cursor` is a page's `next_cursor`.
    """

    statuses: tuple[str, ...] = ()
    project: str | None = None
    task: str | None = None
    architecture: str | None = None
    dataset_id: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    created_after: float | None = None
    created_before: float | None = None
    text: str | None = None
    sort: str = CREATED_AT
    descending: bool = True
    cursor: str | None = None
    limit: int = 50

    @property
    def facets(self) -> dict[str, str | None]:
        """What a run must have, by the names of its indexes; None where it does not matter."""
        return {
            "project": self.project,
            "task": self.task,
            "architecture": self.architecture,
            "dataset": self.dataset_id,
            "group": self.group,
        }


class RunLists:
    """Reads lists of runs."""

    def __init__(self, client: Client, codec: Codec[Run]) -> None:
        self._client = client
        self._known = KnownRecords(client, "run", codec)

    def page(self, query: RunQuery) -> Page[Run]:
        """The page that follows the query's cursor; raises StoreUnavailable."""
        found = self._selected(query)
        chosen = found[: query.limit]
        if not chosen:
            return Page([], None)
        items = self._known.read([run_id for run_id, _ in chosen])
        return Page(items, chosen[-1][1] if len(found) > query.limit else None)

    def several(self, run_ids: Sequence[str]) -> list[Run | UnreadableRecord]:
        """Those of the runs that are there, in that order; raises StoreUnavailable."""
        return self._known.read(run_ids)

    def _selected(self, query: RunQuery) -> list[tuple[str, str]]:
        """Ids with their positions: one more than the page has where the list goes on."""
        found: list[tuple[str, str]] = []
        asked = _script_query(query)
        while True:
            asked["limit"] = query.limit + 1 - len(found)
            outcome, positions = run_script(self._client, "select_runs", json.dumps(asked))
            if outcome == "rebuilding":
                raise StoreUnavailable(REBUILDING)
            asked["after"] = positions.pop("", None)
            found += positions.items()
            if outcome != "more":
                return found


def _script_query(query: RunQuery) -> dict[str, Any]:
    """See select_runs.lua."""
    is_by_time = query.sort == CREATED_AT
    return {
        "groups": list(_groups(query)),
        "sort": keys.index("run", None, None) if is_by_time else keys.sorted_runs(query.sort),
        "is_by_time": is_by_time,
        "descending": query.descending,
        "budget": BUDGET,
        **_given(
            {
                "after": query.cursor,
                "from": _microseconds(query.created_after, 1),
                "to": _microseconds(query.created_before, -1),
                "text": query.text.casefold() if query.text else None,
            }
        ),
    }


def _groups(query: RunQuery) -> Iterator[list[str]]:
    if query.statuses:
        yield [keys.run_facet("status", status) for status in query.statuses]
    for facet, value in query.facets.items():
        if value is not None:
            yield [keys.run_facet(facet, value)]
    for tag in query.tags:
        yield [keys.run_facet("tag", tag)]


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _microseconds(seconds: float | None, more: int) -> int | None:
    return None if seconds is None else round(seconds * 1e6) + more


def listed_fields(values: Mapping[str, Any]) -> dict[str, str]:
    """What lists need, beside a run's record, of those of its fields (JSON data) that are given."""
    found = {name: _searched(values[name]) for name in _SEARCHED if name in values}
    if model := (values.get("spec") or {}).get("model"):
        found |= {"architecture": model["architecture"], "task": model["task"]}
    return {f"{_LISTED}{name}": text for name, text in found.items()}


def _searched(value: Any) -> str:
    """In lower case, as queries are; tags one a line."""
    return ("\n".join(value) if isinstance(value, list | tuple) else value or "").casefold()
