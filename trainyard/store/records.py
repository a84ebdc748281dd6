"""Records in Redis: typed on this side, a hash of texts on that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from marshmallow import EXCLUDE, fields
from marshmallow_dataclass import class_schema

from trainyard.errors import Conflict
from trainyard.lease import LeaseRules
from trainyard.store import keys
from trainyard.store.connection import Client, run_script, store_errors

Record = TypeVar("Record")

REMEMBERED_S = 7 * 24 * 3600
"""How long it is known of a removed record that it was removed."""


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One page of a list, newest first; `next_cursor` is None on the last one."""

    items: list[Record]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Life:
    """The statuses in which a record of some kind waits, is worked on, and has failed."""

    waiting: str
    working: str
    failed: str


class Codec(Generic[Record]):
    """Turns a record into JSON data and into the texts of a hash, and back, by its dataclass."""

    def __init__(self, kind: type[Record]) -> None:
        self._schema = class_schema(kind)()

    def to_json(self, record: Record) -> dict[str, Any]:
        """Plain JSON data, every field present."""
        return dict(self._schema.dump(record))

    def from_json(self, data: Mapping[str, Any]) -> Record:
        """The reverse; fields of an older or newer revision of the record are left out."""
        record: Record = self._schema.load(data, unknown=EXCLUDE)
        return record

    def to_hash(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Texts for some fields of `to_json`; None becomes the empty text, which removes a field."""
        return {name: self._text(name, value) for name, value in values.items()}

    def from_hash(self, texts: Mapping[str, str]) -> Record:
        """A record from a whole hash."""
        return self.from_json(
            {
                name: text if self._is_text(name) else json.loads(text)
                for name, text in texts.items()
                if name in self._schema.fields
            }
        )

    def _text(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        return str(value) if self._is_text(name) else json.dumps(value)

    def _is_text(self, name: str) -> bool:
        return isinstance(self._schema.fields[name], fields.String | fields.Enum)


class RecordStore(Generic[Record]):
    """All records of one kind (`run` or `dataset`). Every change is one script, see `lua/`."""

    def __init__(self, client: Client, kind: str, record_type: type[Record]) -> None:
        self.client = client
        self.kind = kind
        self.codec = Codec(record_type)

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

    def exists(self, record_id: str) -> bool:
        """Whether there is such a record."""
        with store_errors():
            return bool(self.client.exists(keys.record(self.kind, record_id)))

    def page(self, status: str | None, project: str | None, cursor: str | None, limit: int) -> Page[Record]:
        """Newest first; `cursor` is the creation time, in µs, of the last record already seen."""
        top = f"({int(cursor)}" if cursor else "+inf"
        with store_errors():
            index = keys.index(self.kind, status, project)
            found = cast(
                "list[tuple[str, float]]",
                self.client.zrevrangebyscore(index, top, "-inf", 0, limit + 1, withscores=True),
            )
            pipeline = self.client.pipeline(transaction=False)
            for record_id, _ in found[:limit]:
                pipeline.hgetall(keys.record(self.kind, record_id))
            hashes = pipeline.execute()
        more = len(found) > limit
        items = [self.codec.from_hash(texts) for texts in hashes if texts]
        return Page(items, str(int(found[limit - 1][1])) if more else None)

    def claim(
        self, queue: str, owner: str, life: Life, rules: LeaseRules, max_concurrent: int = 0
    ) -> Record | None:
        """Take the record of the queue whose turn it is, or None.

        `max_concurrent` holds for projects without a limit of their own; 0 is no limit.
        """
        lease_ms, grace_s = int(rules.lease_s * 1000), rules.grace_s
        states = (life.waiting, life.working)
        arguments = (self.kind, queue, owner, *states, lease_ms, grace_s, max_concurrent)
        outcome, found = run_script(self.client, "claim", *arguments)
        return self.codec.from_hash(found) if outcome == "claimed" else None

    def renew(
        self, record_id: str, fence: int, owner: str, life: Life, rules: LeaseRules, progress: str
    ) -> dict[str, str] | None:
        """Say that the holder lives and where it stands; the signals to it, or None when it is lost."""
        lease_ms = int(rules.lease_s * 1000)
        arguments = (self.kind, record_id, fence, owner, life.waiting, life.working, lease_ms, progress)
        outcome, found = run_script(self.client, "renew", *arguments)
        return found if outcome == "ok" else None

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

    def complete(
        self,
        record_id: str,
        fence: int,
        owner: str,
        target: int,
        states: tuple[str, str],
        values: Mapping[str, Any],
    ) -> Record | None:
        """See complete.lua, with the states `waiting` and `completed`; None when it is lost."""
        return self._held("complete", record_id, fence, owner, str(target), *states, *self._pairs(values))

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

    def amend(self, record_id: str, values: Mapping[str, Any]) -> Record | None:
        """Change descriptive fields as a client; None when there is no such record."""
        outcome, found = run_script(self.client, "amend", self.kind, record_id, *self._pairs(values))
        return self.codec.from_hash(found) if outcome == "ok" else None

    def restore(self, record: Record, record_id: str, life: Life, rules: LeaseRules) -> str:
        """Take a record over from storage; the outcome, see restore.lua."""
        states = (life.waiting, life.working)
        pairs = self._pairs(self.codec.to_json(record))
        return run_script(self.client, "restore", self.kind, record_id, *states, rules.grace_s, *pairs)[0]

    def mirrored(self, record_id: str, revision: int) -> tuple[str, Record | None]:
        """Note that storage holds this revision; the outcome and a newer record, see mirrored.lua."""
        outcome, found = run_script(self.client, "mirrored", self.kind, record_id, revision)
        return outcome, self.codec.from_hash(found) if found else None

    def ids(self) -> set[str]:
        """The ids of all records."""
        with store_errors():
            return {str(found) for found in self.client.zrange(keys.index(self.kind, None, None), 0, -1)}

    def unmirrored(self) -> set[str]:
        """Ids of records that storage may hold in an older revision."""
        with store_errors():
            return {str(found) for found in self.client.smembers(keys.unmirrored(self.kind))}

    def was_removed(self, record_id: str) -> bool:
        """Whether the record was removed lately; False also where it never was."""
        with store_errors():
            return bool(self.client.exists(keys.removed(self.kind, record_id)))

    def _held(self, script: str, record_id: str, fence: int, owner: str, *rest: str) -> Record | None:
        outcome, found = run_script(self.client, script, self.kind, record_id, fence, owner, *rest)
        return self.codec.from_hash(found) if outcome == "ok" else None

    def _pairs(self, values: Mapping[str, Any]) -> list[str]:
        return [text for pair in self.codec.to_hash(values).items() for text in pair]
