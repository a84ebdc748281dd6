"""Records as the rest of the house sees them: Redis decides a transition, storage mirrors it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from trainyard.checkpoints import discard, place, with_saved
from trainyard.datasets import Dataset, DatasetStatus
from trainyard.errors import Conflict, NotFound, OwnershipLost, TrainyardError, WorkerLost
from trainyard.event_log import publish
from trainyard.events import CheckpointSaved, Progress, StatusChanged, to_dict
from trainyard.lease import LeaseRules
from trainyard.runs import ACTIVE, Run, RunStatus
from trainyard.signals import Signals, StopWhen
from trainyard.storage import Storage, check_id, remove_folder, write_json
from trainyard.store.connection import Client, ping
from trainyard.store.live import LiveStore, parse_signals
from trainyard.store.records import Life, Page, RecordStore
from trainyard.store.sets import DatasetStore


class Claimable(Protocol):
    """What a run and a data set have in common."""

    @property
    def id(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def fence(self) -> int: ...
    @property
    def owner(self) -> str | None: ...


Record = TypeVar("Record", bound=Claimable)


class Registry(Generic[Record]):
    """All runs, or all data sets. Methods that write raise StoreUnavailable and StorageUnavailable."""

    def __init__(
        self, store: RecordStore[Record], storage: Storage, life: Life, rules: LeaseRules | None
    ) -> None:
        self._store = store
        self._storage = storage
        self._life = life
        self.rules = rules or LeaseRules()

    def submit(self, record: Record) -> tuple[bool, Record]:
        """Accept a record: whether it is new, and how it now stands. Its folder must hold its files.

        Storage holds it first, so that a record in Redis always has its mirror.
        """
        self._write(record)
        created, stored = self._store.submit(record, record.id, self._life.waiting)
        return created, self._mirrored(stored)

    def require_store(self) -> None:
        """Raise StoreUnavailable unless Redis answers: asked before much work is put into a record."""
        ping(self._store.client)

    def get(self, record_id: str) -> Record:
        """The record; raises NotFound."""
        record = self._store.get(check_id(record_id))
        if record is None:
            raise NotFound(f"There is no {self._store.kind} {record_id}.")
        return record

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
        """A page of records, newest first."""
        return self._store.page(status, project, cursor, limit)

    def position(self, record_id: str, queue: str) -> int | None:
        """The place in the queue, 1 for the next to be taken; None where it does not wait there."""
        return self._store.position(check_id(record_id), queue)

    def claim(self, queue: str, owner: str) -> Record | None:
        """Take the next waiting record for a worker, or None."""
        record = self._store.claim(queue, owner, self._life, self.rules)
        return self._mirrored(record) if record else None

    def update(self, held: Record, **values: Any) -> Record:
        """Change fields (JSON data) of a record this worker holds; raises OwnershipLost."""
        return self._kept(self._store.update(held.id, held.fence, held.owner or "", values), held)

    def finish(self, held: Record, status: str, **values: Any) -> Record:
        """End the work on a held record; raises OwnershipLost."""
        return self._kept(self._store.finish(held.id, held.fence, held.owner or "", status, values), held)

    def release(self, held: Record) -> Record:
        """Give a held record back to its queue; raises OwnershipLost."""
        return self._kept(
            self._store.release(held.id, held.fence, held.owner or "", self._life.waiting), held
        )

    def crash(self, held: Record, error: TrainyardError) -> Record:
        """The work on a held record broke by no fault of the user; raises OwnershipLost."""
        content = error.to_dict()
        record = self._store.crash(held.id, held.fence, held.owner or "", self._life, self.rules, content)
        return self._kept(record, held)

    def renew(self, held: Record, progress: str = "") -> dict[str, str]:
        """Keep a held record for another lease; the signals to it. Raises OwnershipLost."""
        owner = held.owner or ""
        found = self._store.renew(held.id, held.fence, owner, self._life, self.rules, progress)
        if found is None:
            raise OwnershipLost(f"{held.id} is held by another attempt.")
        return found

    def reap(self) -> list[Record]:
        """Take back what workers gave no sign of life for; the records as they now stand."""
        reaped = self._store.reap(self._life, self.rules, WorkerLost().to_dict())
        records = [self._store.get(record_id) for record_id in reaped]
        return [self._mirrored(record) for record in records if record is not None]

    def amend(self, record_id: str, values: Mapping[str, Any]) -> Record:
        """Change descriptive fields as a client; raises NotFound."""
        record = self._store.amend(check_id(record_id), values)
        if record is None:
            raise NotFound(f"There is no {self._store.kind} {record_id}.")
        return self._mirrored(record)

    def _kept(self, record: Record | None, held: Record) -> Record:
        if record is None:
            raise OwnershipLost(f"{held.id} is held by another attempt.")
        return self._mirrored(record)

    def _mirrored(self, record: Record) -> Record:
        """Write the record's file. Whoever writes last has seen the newest revision: two writers that
        race both look again after writing, and the older one puts the newer revision down."""
        while True:
            self._write(record)
            newest = self._store.get(record.id)
            if newest is None:
                self._without_record(record.id)
            if newest is None or newest.revision <= record.revision:
                return record
            record = newest

    def _without_record(self, record_id: str) -> None:
        """Called where a record that has just been mirrored is not in Redis any more."""

    def _write(self, record: Record) -> None:
        write_json(self.record_file(record.id), self._store.codec.to_json(record))

    def record_file(self, record_id: str) -> Path:
        """Where the record's mirror lies in storage."""
        if self._store.kind == "run":
            return self._storage.run(record_id).record
        return self._storage.dataset(record_id).record

    def to_json(self, record: Record) -> dict[str, Any]:
        """The record as plain JSON data."""
        return self._store.codec.to_json(record)


class DatasetRegistry(Registry[Dataset]):
    """All data sets."""

    _store: DatasetStore

    def __init__(self, client: Client, storage: Storage, rules: LeaseRules | None = None) -> None:
        life = Life(
            waiting=DatasetStatus.QUEUED, working=DatasetStatus.INGESTING, failed=DatasetStatus.FAILED
        )
        super().__init__(DatasetStore(client), storage, life, rules)

    def reopen(self, seen: Dataset, **values: Any) -> Dataset:
        """Queue a set, as it was seen, for ingest with fields changed; raises NotFound and Conflict."""
        outcome, dataset = self._store.reopen(seen, values)
        if dataset is None:
            raise NotFound(f"There is no dataset {seen.id}.")
        if outcome != "ok":
            what = "has just been changed" if outcome == "changed" else f"is {dataset.status}"
            raise Conflict(
                f"Data set {seen.id} {what}; it can be read again once its ingest has ended.",
                errors={"status": dataset.status},
            )
        return self._mirrored(dataset)

    def remove(self, dataset_id: str) -> None:
        """Forget a set and delete its folder; raises NotFound, and Conflict while runs need it."""
        outcome, runs = self._store.remove(check_id(dataset_id))
        if outcome == "missing":
            raise NotFound(f"There is no dataset {dataset_id}.")
        if outcome == "held":
            raise Conflict(
                f"Data set {dataset_id} is needed by {', '.join(sorted(runs))}.",
                remedy="Stop these runs, or wait until they have ended.",
                errors={"runs": runs},
            )
        remove_folder(self._storage.dataset(dataset_id).path)

    def clear_removed(self, dataset_id: str) -> None:
        """Delete what a worker may have written for a set since it was removed; other sets are left alone."""
        if self._store.was_removed(dataset_id):
            remove_folder(self._storage.dataset(dataset_id).path)

    def _without_record(self, record_id: str) -> None:
        self.clear_removed(record_id)


class RunRegistry(Registry[Run]):
    """All runs, with what may be asked of one while it trains."""

    def __init__(self, client: Client, storage: Storage, rules: LeaseRules | None = None) -> None:
        life = Life(waiting=RunStatus.QUEUED, working=RunStatus.RUNNING, failed=RunStatus.FAILED)
        super().__init__(RecordStore(client, "run", Run), storage, life, rules)
        self.live = LiveStore(client)

    def report(self, held: Run, progress: Progress | None) -> Signals:
        """Renew a held run, say where it stands, learn what is wished of it; raises OwnershipLost."""
        return parse_signals(self.renew(held, json.dumps(to_dict(progress)) if progress else ""))

    def reap(self) -> list[Run]:
        """As for any record; what became of each run is published, for no worker will tell of it."""
        runs = super().reap()
        for run in runs:
            self.publish_status(run)
        return runs

    def publish_status(self, run: Run) -> None:
        """Tell the followers of a run its status; an ended run's stream goes after a while."""
        changed = StatusChanged(status=run.status, revision=run.revision, error=run.error)
        publish(self.live, self._storage.run(run.id), run.id, changed)
        if run.status not in ACTIVE:
            self.live.expire(run.id)

    def stop(self, run_id: str, when: StopWhen) -> Run:
        """Ask the run to stop; raises NotFound, or Conflict when it has ended otherwise.

        One that waits in the queue ends here: no worker will tell of it, so its event is published here.
        """
        outcome, found = self.live.stop(check_id(run_id), when)
        run = self._signalled(outcome, found, run_id, "stopped")
        if outcome == "ended":
            self.publish_status(run)
        return run

    def retarget(self, run_id: str, epochs: int) -> Run:
        """Change the epoch target; raises NotFound, or Conflict when the run has ended."""
        return self._signalled(
            *self.live.retarget(check_id(run_id), epochs), run_id, "given another epoch target"
        )

    def commit(self, held: Run, saved: CheckpointSaved, file: str) -> Run:
        """Make a saved file, at `file` in the run's folder, its checkpoint; raises OwnershipLost.

        What it supersedes is deleted, once nobody can take it for the newest any more.
        """
        keep_last = held.spec.checkpoints.keep_last
        names = with_saved(held.checkpoints, saved, file, keep_last)
        files = {name: asdict(one) for name, one in names.items()}
        run = self._store.commit(held.id, held.fence, held.owner or "", files, saved.epoch, saved.step)
        kept = self._kept(run, held)
        discard(self._storage.run(held.id), held.checkpoints, names)
        return kept

    def _write(self, record: Run) -> None:
        """A run's mirror is its record, and the names under which its checkpoints are found."""
        super()._write(record)
        if record.checkpoints:
            place(self._storage.run(record.id), record.checkpoints)

    def _signalled(self, outcome: str, found: dict[str, str], run_id: str, verb: str) -> Run:
        if outcome == "missing":
            raise NotFound(f"There is no run {run_id}.")
        run = self._store.codec.from_hash(found)
        if outcome == "refused":
            raise Conflict(
                f"Run {run_id} is {run.status} and cannot be {verb}.", errors={"status": run.status}
            )
        return self._mirrored(run)
