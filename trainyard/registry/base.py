"""Records as the rest of the house sees them: Redis decides a transition, storage mirrors it."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from trainyard.access import require_project
from trainyard.errors import (
    NotFound,
    OwnershipLost,
    StorageUnavailable,
    StoreUnavailable,
    Unreadable,
    WorkerLost,
)
from trainyard.lease import LeaseRules
from trainyard.storage.files import Storage, check_id, is_accepted, remove_folder, write_json
from trainyard.store.connection import ping
from trainyard.store.records import REBUILDING, Life, Page, RecordStore

logger = logging.getLogger(__name__)


class Claimable(Protocol):
    """What a run and a data set have in common."""

    @property
    def id(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def fence(self) -> int: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def status(self) -> str: ...


_PREFIXES = {"run": "run", "dataset": "ds"}
Record = TypeVar("Record", bound=Claimable)


class Registry(Generic[Record]):
    """All runs, or all data sets. Methods that write raise StoreUnavailable."""

    def __init__(
        self,
        store: RecordStore[Record],
        storage: Storage,
        life: Life,
        rules: LeaseRules | None,
        max_concurrent: int = 0,
    ) -> None:
        """`max_concurrent`: how many records of a project may be in work at once; 0 is no limit."""
        self._store = store
        self._storage = storage
        self._life = life
        self.rules = rules or LeaseRules()
        self._max_concurrent = max_concurrent

    def submit(self, record: Record) -> tuple[bool, Record]:
        """Accept a record: whether it is new, and how it now stands. Its folder must hold its files.

        Raises Forbidden where the caller may not do so in its project. Storage holds the record first, so
        that one in Redis always has its mirror; raises StorageUnavailable.
        """
        require_project(record.project)
        self.refuse_forgotten(record.id)
        self._write(record)
        created, stored = self._store.submit(record, record.id, self._life.waiting)
        return created, self._mirrored(stored)

    def refuse_forgotten(self, record_id: str) -> None:
        """Raise StoreUnavailable for a record that a Redis that was emptied does not have again yet."""
        if is_accepted(self.record_file(record_id)) and not self._store.exists(record_id):
            raise StoreUnavailable(REBUILDING)

    def require_store(self) -> None:
        """Raise StoreUnavailable unless Redis answers: asked before much work is put into a record."""
        ping(self._store.client)

    def get(self, record_id: str) -> Record:
        """The record; raises NotFound, and Unreadable for one that cannot be read."""
        record = self._store.get(check_id(record_id))
        if record is None:
            is_expected = self.record_file(record_id).exists() and not self._store.was_removed(record_id)
            self._refuse_incomplete(is_expected)
            raise NotFound(f"There is no {self._store.kind} {record_id}.")
        return record

    def project_of(self, record_id: str) -> str | None:
        """The project of a record, whether or not it can be read; None where there is no such record."""
        return self._store.field(check_id(record_id), "project")

    def exists(self, record_id: str) -> bool:
        """Whether there is such a record."""
        return self._store.exists(check_id(record_id))

    def page(
        self,
        status: str | None = None,
        project: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Record]:
        """A page of records, newest first; raises StoreUnavailable while not all of them are known again."""
        page = self._store.page(status, project, cursor, limit)
        if not page.items:
            self._refuse_incomplete(self._has_records())
        return page

    def require_complete(self) -> None:
        """Raise StoreUnavailable while a Redis that was emptied does not have again what storage holds."""
        self._refuse_incomplete(self._has_records())

    def _refuse_incomplete(self, lies_in_storage: bool) -> None:
        """Raise StoreUnavailable for what is in storage and may only not be in Redis again yet."""
        if lies_in_storage and self._store.is_incomplete():
            raise StoreUnavailable(REBUILDING)

    def _has_records(self) -> bool:
        """Whether storage has any record of this kind."""
        file = self.record_file(f"{_PREFIXES[self._store.kind]}-{'0' * 12}")
        return any(file.parent.parent.glob(f"*/{file.name}"))

    def claim(self, queue: str, owner: str, devices: int = 0) -> Record | None:
        """Take the next waiting record for a worker, or None; `devices` is how many a run may want, 0 any."""
        life = self._life_in(queue)
        record = self._store.claim(queue, owner, life, self.rules, self._max_concurrent, devices)
        return self._mirrored(record) if record else None

    def held_by(self, owner: str, queue: str) -> Record | None:
        """What a worker holds since a claim to which it had no answer; None where none was made."""
        record = self._store.held(owner, self._life_in(queue), self.rules)
        return self._mirrored(record) if record else None

    def _life_in(self, queue: str) -> Life:
        """In which statuses records of a queue wait and are worked on."""
        return self._life

    def update(self, held: Record, **values: Any) -> Record:
        """Change fields (JSON data) of a record this worker holds; raises OwnershipLost."""
        return self._kept(self._store.update(held.id, held.fence, held.owner or "", values), held)

    def finish(self, held: Record, status: str, **values: Any) -> Record:
        """End the work on a held record; raises OwnershipLost."""
        return self._kept(self._store.finish(held.id, held.fence, held.owner or "", status, values), held)

    def release(self, held: Record, reason: str = "drained") -> Record:
        """Give a held record back to its queue, which counts as no crash; raises OwnershipLost."""
        owner, waiting = held.owner or "", self._life.waiting
        return self._kept(self._store.release(held.id, held.fence, owner, waiting, reason), held)

    def crash(self, held: Record, error: Mapping[str, Any]) -> Record:
        """The work on a held record broke, which another try may mend; raises OwnershipLost."""
        record = self._store.crash(held.id, held.fence, held.owner or "", self._life, self.rules, error)
        return self._kept(record, held)

    def renew(self, held: Record, progress: str = "") -> dict[str, str]:
        """Keep a held record for another lease; the signals to it. Raises OwnershipLost.

        A claim that Redis forgot is in force again with it, unless somebody newer has the record.
        """
        owner, life = held.owner or "", replace(self._life, working=held.status)
        found = self._store.renew(held.id, held.fence, owner, life, self.rules, progress)
        if found is None:
            raise OwnershipLost(f"{held.id} is held by another attempt.")
        return found

    def reap(self) -> list[Record]:
        """Take back what workers gave no sign of life for; the records as they now stand."""
        reaped = self._store.reap(self._life, self.rules, self._lost())
        return self._each(reaped, lambda record_id: self._mirrored(self.get(record_id)))

    def _lost(self) -> dict[str, Any]:
        """The error of a record whose worker was lost too often."""
        return WorkerLost().to_dict()

    def amend(self, record_id: str, values: Mapping[str, Any]) -> Record:
        """Change descriptive fields as a client; raises NotFound."""
        record = self._store.amend(check_id(record_id), values)
        if record is None:
            raise NotFound(f"There is no {self._store.kind} {record_id}.")
        return self._mirrored(record)

    def _kept(self, record: Record | None, held: Record) -> Record:
        if record is None:
            self.reclaim(held)
        return self._mirrored(record)

    def reclaim(self, held: Record) -> NoReturn:
        """After a holder's write that was refused. Raises OwnershipLost; where Redis had only forgotten the
        claim StoreUnavailable, for it is in force again and the write may be tried again."""
        self.renew(held)
        raise StoreUnavailable(f"Redis had forgotten who holds {held.id}, and knows again.")

    def repair(self, record_id: str) -> Record:
        """Write the record's file as Redis has it; raises NotFound, Unreadable and StorageUnavailable."""
        return self._written(self.get(record_id))

    def repair_mirrors(self) -> list[str]:
        """Write the files of records that are behind, because storage failed or whoever changed the record
        did not live to write it; their ids. Raises StorageUnavailable."""
        return [record.id for record in self._each(sorted(self._store.unmirrored()), self.repair)]

    def requeue_lost(self) -> list[str]:
        """Put what waits and is in no queue, since Redis lost a queue's key alone, in its queue; the ids."""
        return self._store.requeue_lost(self._life)

    def _each(self, record_ids: Iterable[str], work: Callable[[str], Record]) -> list[Record]:
        """Do the work for each record, so that one that fails keeps it from no other; what came of it.

        Raises the first failure, whatever it was, once all are done.
        """
        done, failures = [], []
        for record_id in record_ids:
            try:
                done.append(work(record_id))
            except NotFound:
                continue  # removed meanwhile
            except Unreadable as error:
                logger.error("%s cannot be read, and storage keeps what it has: %s", record_id, error.message)
                self._store.leave_mirror(record_id)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)
        if failures:
            raise failures[0]
        return done

    def mirror(self, record: Record) -> Record:
        """Write the file of a record that a decision has just changed, now or, where that fails, later."""
        return self._mirrored(record)

    def _mirrored(self, record: Record) -> Record:
        """Redis has decided: where storage fails, or Redis goes away before it knows of the file, the file
        stays behind until housekeeping writes it. Whoever asked for the decision has it all the same."""
        try:
            return self._written(record)
        except (StorageUnavailable, StoreUnavailable) as error:
            logger.error("The file of %s stays behind for now: %s", record.id, error.message)
            return record

    def _written(self, record: Record) -> Record:
        """Write the record's file. Whoever writes last has seen the newest revision: two writers that
        race both look again after writing, and the older one puts the newer revision down."""
        while True:
            self._write(record)
            outcome, newer = self._store.mirrored(record.id, record.revision)
            if outcome == "missing" and self._store.was_removed(record.id):
                remove_folder(self.record_file(record.id).parent)
            if newer is None:
                return record
            record = newer

    def _write(self, record: Record) -> None:
        write_json(self.record_file(record.id), self._store.codec.to_json(record))

    def unknown(self, record_ids: list[str]) -> set[str]:
        """Those of which Redis has no record; raises StoreUnavailable."""
        return {name for name, known in self._store.revisions(record_ids).items() if known is None}

    @property
    def folder(self) -> Path:
        """Where the folders of all records lie."""
        return self._storage.root / f"{self._store.kind}s"

    def record_file(self, record_id: str) -> Path:
        """Where the record's mirror lies in storage."""
        if self._store.kind == "run":
            return self._storage.run(record_id).record
        return self._storage.dataset(record_id).record

    def to_json(self, record: Record) -> dict[str, Any]:
        """The record as plain JSON data."""
        return self._store.codec.to_json(record)
