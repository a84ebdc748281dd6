"""Records in Redis: typed on this side, a hash of texts on that."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import count
from typing import Any, Generic, TypeVar, cast

from trainyard.datasets.record import IngestOptions
from trainyard.errors import Conflict, StoreUnavailable, Unreadable
from trainyard.lease import LeaseRules
from trainyard.spec.training_spec import SPEC_VERSION
from trainyard.store import keys
from trainyard.store.codec import UnreadableRecord, codec_of
from trainyard.store.connection import Client, run_script, run_together, store_errors

logger = logging.getLogger(__name__)

Record = TypeVar("Record")

REBUILDING = "Redis was emptied and is being rebuilt from storage."
REQUEUED_AT_ONCE = 500
"""Waiting records that one script looks at: Redis serves nobody else meanwhile, for a millisecond or two."""
OPTIONS = [option.name for option in fields(IngestOptions)]
"""Of an ingest, as this release knows them."""
REMEMBERED_S = 7 * 24 * 3600
"""How long it is known of a removed record that it was removed."""


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One page of a list, newest first; `next_cursor` is None on the last one."""

    items: list[Record | UnreadableRecord]
    next_cursor: str | None

    @property
    def readable(self) -> list[Record]:
        """The items but those that cannot be read."""
        return [item for item in self.items if not isinstance(item, UnreadableRecord)]


@dataclass(frozen=True, kw_only=True)
class Life:
    """The statuses in which a record of some kind waits, is worked on, and has failed."""

    waiting: str
    working: str
    failed: str


class RecordStore(Generic[Record]):
    """All records of one kind (`run`, `dataset` or `model`). Every change is one script, see `lua/`."""

    def __init__(self, client: Client, kind: str, record_type: type[Record]) -> None:
        self.client = client
        self.kind = kind
        self.codec = codec_of(record_type)

    def submit(self, record: Record, record_id: str, status: str) -> tuple[bool, Record]:
        """Create and queue; returns whether it was created, and the record as it now stands.

        Raises Conflict for a run whose data set is gone.
        """
        pairs = self._pairs(self.codec.to_json(record))
        outcome, found = run_script(self.client, "submit", self.kind, record_id, status, *pairs)
        if outcome == "no_dataset":
            raise Conflict("The data set has been deleted.", errors={"dataset_id": ["no such data set"]})
        return outcome == "created", self.codec.from_hash(found)

    def get(self, record_id: str) -> Record | None:
        """The record, or None."""
        with store_errors():
            found = cast("dict[str, str]", self.client.hgetall(keys.record(self.kind, record_id)))
        return self.codec.from_hash(found) if found else None

    def field(self, record_id: str, name: str) -> str | None:
        """The text of one field of a record; None where there is none."""
        with store_errors():
            return cast("str | None", self.client.hget(keys.record(self.kind, record_id), name))

    def field_of_several(self, record_ids: Sequence[str], name: str) -> list[str | None]:
        """As `field`, of each of these records, asked at once."""
        with store_errors():
            asked = self.client.pipeline(transaction=False)
            for record_id in record_ids:
                asked.hget(keys.record(self.kind, record_id), name)
            return cast("list[str | None]", asked.execute())

    def exists(self, record_id: str) -> bool:
        """Whether there is such a record."""
        with store_errors():
            return bool(self.client.exists(keys.record(self.kind, record_id)))

    def page(self, status: str | None, project: str | None, cursor: str | None, limit: int) -> Page[Record]:
        """Newest first; `cursor` is the creation time, in µs, of the last record already seen."""
        return self._page(keys.index(self.kind, status, project), cursor, limit)

    def _page(self, index: str, cursor: str | None, limit: int) -> Page[Record]:
        top = f"({int(cursor)}" if cursor else "+inf"
        last, found = run_script(self.client, "page", self.kind, index, top, limit)
        if last == "rebuilding":
            raise StoreUnavailable(REBUILDING)
        items = [self.codec.listed_text(record_id, text) for record_id, text in found.items()]
        return Page(items, str(int(float(last))) if last else None)

    def claim(
        self,
        queue: str,
        owner: str,
        life: Life,
        rules: LeaseRules,
        max_concurrent: int = 0,
        devices: int = 0,
        offered: Sequence[str] = (),
    ) -> Record | None:
        """Take the record of the queue whose turn it is, or None; one that cannot be read fails, and one of a
        newer release is left to its workers.

        `max_concurrent` holds for projects without a limit of their own, `devices` for what a run may want; 0
        is no limit. What asks plug-ins for more than is `offered` is left to other workers.
        """
        lease_ms, grace_s = int(rules.lease_s * 1000), rules.grace_s
        states = (life.waiting, life.working)
        reads = json.dumps({"spec": SPEC_VERSION, "options": OPTIONS, "plugins": [*offered]})
        arguments = (self.kind, queue, owner, *states, lease_ms, grace_s, max_concurrent, devices, reads)
        while True:
            outcome, found = run_script(self.client, "claim", *arguments)
            if outcome != "claimed":
                return None
            try:
                return self.codec.from_hash(found)
            except Unreadable as error:
                self._fail_unreadable(found, owner, life, error)

    def held(self, owner: str, life: Life, rules: LeaseRules) -> Record | None:
        """The record that this owner works on, its lease renewed; None without one that can be read."""
        outcome, found = run_script(
            self.client, "held", self.kind, owner, life.working, int(rules.lease_s * 1000)
        )
        if outcome != "held":
            return None
        try:
            return self.codec.from_hash(found)
        except Unreadable as error:
            self._fail_unreadable(found, owner, life, error)
            return None

    def renew(
        self, record_id: str, fence: int, owner: str, life: Life, rules: LeaseRules, progress: str
    ) -> dict[str, str] | None:
        """Say that the holder lives and where it stands; the signals to it, or None when it is lost.

        Raises StoreUnavailable while a Redis that was emptied does not have the record again yet.
        """
        lease_ms = int(rules.lease_s * 1000)
        arguments = (self.kind, record_id, fence, owner, life.waiting, life.working, lease_ms, progress)
        outcome, found = run_script(self.client, "renew", *arguments)
        if outcome == "unknown" and self._may_come_back(record_id):
            raise StoreUnavailable(REBUILDING)
        return found if outcome == "ok" else None

    def _may_come_back(self, record_id: str) -> bool:
        """Whether a record that was unknown a moment ago is or will be known; one that was removed is not."""
        return not self.was_removed(record_id) and (self.exists(record_id) or self.may_lack())

    def crash(
        self,
        record_id: str,
        fence: int,
        owner: str,
        life: Life,
        rules: LeaseRules,
        error: Mapping[str, Any],
    ) -> Record | None:
        """The holder's work broke: it waits again or fails for good; None when it is lost."""
        last = (life.waiting, life.failed, str(rules.max_crashes), json.dumps(error))
        return self._held("crash", record_id, fence, owner, *last)

    def reap(self, life: Life, rules: LeaseRules, error: Mapping[str, Any]) -> list[str]:
        """Take back all records whose lease has lapsed; their ids."""
        states = (life.waiting, life.working, life.failed)
        last = (rules.max_crashes, rules.grace_s, json.dumps(error))
        return list(run_script(self.client, "reap", self.kind, *states, *last)[1])

    def update(self, record_id: str, fence: int, owner: str, values: Mapping[str, Any]) -> Record | None:
        """Change fields as the holder; None when this attempt holds the record no more."""
        return self._held("update", record_id, fence, owner, *self._pairs(values))

    def commit(
        self, record_id: str, fence: int, owner: str, checkpoints: Mapping[str, Any], epoch: int, step: int
    ) -> Record | None:
        """Say as the holder which files, as JSON data, are the checkpoints; None when it is lost."""
        files = json.dumps(checkpoints)
        return self._held("commit", record_id, fence, owner, files, str(epoch), str(step))

    def finish(
        self, record_id: str, fence: int, owner: str, status: str, values: Mapping[str, Any]
    ) -> Record | None:
        """End the record as the holder; None when it is lost."""
        return self._held("finish", record_id, fence, owner, status, *self._pairs(values))

    def release(
        self, record_id: str, fence: int, owner: str, waiting: str, reason: str = "drained"
    ) -> Record | None:
        """Put the record back in its queue as the holder; None when it is lost."""
        return self._held("release", record_id, fence, owner, waiting, reason)

    def edit(self, record_id: str, values: Mapping[str, Any]) -> Record | None:
        """Change descriptive fields as a client; None when there is no such record."""
        outcome, found = run_script(self.client, "edit", self.kind, record_id, *self._pairs(values))
        return self.codec.from_hash(found) if outcome == "ok" else None

    def restore(
        self,
        records: Mapping[str, Record],
        life: Life,
        rules: LeaseRules,
        stored: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> list[str]:
        """Take records, by their ids, over from storage at once; the outcome of each, see restore.lua.

        `stored` has the JSON data of some of them, in which another release may have put more.
        """
        calls: list[list[str | int | float]] = []
        for record_id, record in records.items():
            states = [life.waiting, life.working]
            data = self.codec.to_json_over(record, (stored or {}).get(record_id, {}))
            calls.append([self.kind, record_id, *states, rules.grace_s, *self._pairs(data)])
        return run_together(self.client, "restore", calls)

    def mirrored(self, record_id: str, revision: int) -> tuple[str, Record | None]:
        """Note that storage holds this revision; the outcome and a newer record, see mirrored.lua."""
        outcome, found = run_script(self.client, "mirrored", self.kind, record_id, revision)
        return outcome, self.codec.from_hash(found) if found else None

    def ids(self) -> set[str]:
        """The ids of all records."""
        with store_errors():
            return {str(found) for found in self.client.zrange(keys.index(self.kind, None, None), 0, -1)}

    def revisions(self, record_ids: list[str]) -> dict[str, int | None]:
        """The revision that Redis has of each, None where it has no such record."""
        with store_errors():
            pipeline = self.client.pipeline(transaction=False)
            for record_id in record_ids:
                pipeline.hget(keys.record(self.kind, record_id), "revision")
            found = pipeline.execute()
        revisions = (None if text is None else int(text) for text in found)
        return dict(zip(record_ids, revisions, strict=True))

    def unmirrored(self) -> set[str]:
        """Ids of records that storage may hold in an older revision."""
        with store_errors():
            return {str(found) for found in self.client.smembers(keys.unmirrored(self.kind))}

    def is_incomplete(self) -> bool:
        """Whether this Redis was emptied, and does not have again what storage holds."""
        with store_errors():
            if self.client.exists(keys.REBUILDING):
                return True
            return not self.client.exists(keys.INDEXED, keys.index(self.kind, None, None))

    def may_lack(self) -> bool:
        """Whether what storage holds may not be here: this Redis is being filled, or nobody has seen yet that
        it was emptied. It may have newer records by then, so that `is_incomplete` would not tell."""
        with store_errors():
            return bool(self.client.exists(keys.REBUILDING)) or not self.client.exists(keys.INDEXED)

    def was_removed(self, record_id: str) -> bool:
        """Whether the record was removed lately; False also where it never was."""
        with store_errors():
            return bool(self.client.exists(keys.removed(self.kind, record_id)))

    def requeue_lost(self, life: Life) -> list[str]:
        """Put what waits and is in no queue in its queue; the ids. See requeue.lua."""
        again: list[str] = []
        for start in count(0, REQUEUED_AT_ONCE):
            arguments = (self.kind, life.waiting, start, REQUEUED_AT_ONCE)
            outcome, found = run_script(self.client, "requeue", *arguments)
            again += found
            if outcome == "done":
                break
        return again

    def note_unreadable(self, record_id: str, life: Life, values: Mapping[str, str]) -> str:
        """List a record whose file in storage cannot be read; the outcome, see note_unreadable.lua.

        `values` are the texts of its hash that are known, `created_at` and `project` among them.
        """
        pairs = [text for pair in values.items() for text in pair]
        return run_script(self.client, "note_unreadable", self.kind, record_id, life.failed, *pairs)[0]

    def leave_mirror(self, record_id: str) -> None:
        """Let storage keep what it has of a record: Redis has nothing that could be written."""
        with store_errors():
            self.client.srem(keys.unmirrored(self.kind), record_id)

    def _fail_unreadable(self, found: Mapping[str, str], owner: str, life: Life, error: Unreadable) -> None:
        logger.error("The %s %s cannot be read and fails: %s", self.kind, found.get("id"), error.message)
        pairs = self._pairs({"error": error.to_dict()})
        arguments = (found.get("id", ""), found.get("fence", ""), owner, life.failed, *pairs)
        run_script(self.client, "finish", self.kind, *arguments)

    def _held(self, script: str, record_id: str, fence: int, owner: str, *rest: str) -> Record | None:
        outcome, found = run_script(self.client, script, self.kind, record_id, fence, owner, *rest)
        return self.codec.from_hash(found) if outcome == "ok" else None

    def _pairs(self, values: Mapping[str, Any]) -> list[str]:
        return [text for pair in self.codec.to_hash(values).items() for text in pair]
