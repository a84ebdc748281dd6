"""Records that are worked on: whoever claims one holds it by a lease, and a fence refuses who lost it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, Protocol, TypeVar

from trainyard.access import require_project
from trainyard.errors import OwnershipLost, StoreUnavailable, WorkerLost
from trainyard.lease import LeaseRules
from trainyard.registry.records import Kept, Records
from trainyard.storage.files import Storage
from trainyard.store.records import Life, RecordStore
from trainyard.tracing import trace_parent


class Claimable(Kept, Protocol):
    """What a run and a data set have in common."""

    @property
    def fence(self) -> int: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def status(self) -> str: ...


Record = TypeVar("Record", bound=Claimable)


class Registry(Records[Record]):
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
        super().__init__(store, storage, life, rules)
        self._max_concurrent = max_concurrent
        self.mirror_by: Callable[[Callable[[], object]], object] = lambda act: act()
        """How what a holder decides gets into storage: at once, or by a thread beside the work."""

    def submit(self, record: Record) -> tuple[bool, Record]:
        """Accept a record: whether it is new, and how it now stands. Its folder must hold its files.

        Raises Forbidden where the caller may not do so in its project. Storage holds the record first, so
        that one in Redis always has its mirror; raises StorageUnavailable.
        """
        require_project(record.project)
        self.refuse_forgotten(record.id)
        record = self._store.codec.evolve(record, trace_parent=trace_parent())
        self._write(record)
        created, stored = self._store.submit(record, record.id, self._life.waiting)
        return created, self._mirrored(stored)

    def claim(self, queue: str, owner: str, devices: int = 0, offered: Sequence[str] = ()) -> Record | None:
        """Take the next waiting record for a worker, or None.

        `devices` is how many a run may want, 0 any, and `offered` what it may ask of plug-ins, by the keys of
        offers.
        """
        life = self._life_in(queue)
        record = self._store.claim(queue, owner, life, self.rules, self._max_concurrent, devices, offered)
        if record:
            self.mirror_by(lambda: self._mirrored(record))
        return record

    def held_by(self, owner: str, queue: str) -> Record | None:
        """What a worker holds since a claim to which it had no answer; None where none was made."""
        record = self._store.held(owner, self._life_in(queue), self.rules)
        return self._mirrored(record) if record else None

    def _life_in(self, queue: str) -> Life:
        """In which statuses records of a queue wait and are worked on."""
        return self._life

    def update(self, held: Record, **values: Any) -> Record:
        """Change fields (JSON data) of a record this worker holds; raises OwnershipLost."""
        return self._noted(self._store.update(held.id, held.fence, held.owner or "", values), held)

    def settle(self, held: Record, **values: Any) -> Record:
        """As `update`; what storage then has of the record is there when this returns."""
        return self._kept(self._store.update(held.id, held.fence, held.owner or "", values), held)

    def finish(self, held: Record, status: str, **values: Any) -> Record:
        """End the work on a held record; raises OwnershipLost."""
        return self._noted(self._store.finish(held.id, held.fence, held.owner or "", status, values), held)

    def release(self, held: Record, reason: str = "drained") -> Record:
        """Give a held record back to its queue, which counts as no crash; raises OwnershipLost."""
        owner, waiting = held.owner or "", self._life.waiting
        return self._noted(self._store.release(held.id, held.fence, owner, waiting, reason), held)

    def crash(self, held: Record, error: Mapping[str, Any]) -> Record:
        """The work on a held record broke, which another try may mend; raises OwnershipLost."""
        record = self._store.crash(held.id, held.fence, held.owner or "", self._life, self.rules, error)
        return self._noted(record, held)

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

    def requeue_lost(self) -> list[str]:
        """Put what waits and is in no queue, since Redis lost a queue's key alone, in its queue; the ids."""
        return self._store.requeue_lost(self._life)

    def _kept(self, record: Record | None, held: Record) -> Record:
        if record is None:
            self.reclaim(held)
        return self._mirrored(record)

    def _noted(self, record: Record | None, held: Record) -> Record:
        if record is None:
            self.reclaim(held)
        self.mirror_by(lambda: self._mirrored(record))
        return record

    def reclaim(self, held: Record) -> NoReturn:
        """After a holder's write that was refused. Raises OwnershipLost; where Redis had only forgotten the
        claim StoreUnavailable, for it is in force again and the write may be tried again."""
        self.renew(held)
        raise StoreUnavailable(f"Redis had forgotten who holds {held.id}, and knows again.")
