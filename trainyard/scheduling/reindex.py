"""Redis rebuilt from storage: records, indexes, queues, versions of models, and the names of studies.

Storage and Redis each hold a record with its revision, and the higher one wins: after a Redis that lost
everything, after one that lost its last writes, and after a mirror that was never written.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from redis.lock import Lock

from trainyard.datasets.record import Dataset
from trainyard.errors import BrokenFile, NewerFormat, NotFound, StorageUnavailable, Unreadable
from trainyard.library.draft import Draft
from trainyard.library.saved_experiment import SavedExperiment
from trainyard.library.trained_model import TrainedModel
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.delivery_log import DeliveryLog
from trainyard.registry.kept import draft_records, experiment_records, webhook_records
from trainyard.registry.models import ModelRegistry
from trainyard.registry.records import Kept, Records
from trainyard.registry.runs import RunRegistry
from trainyard.registry.unreadable import note_unreadable
from trainyard.runs.record import Run
from trainyard.spec.training_spec import SPEC_VERSION
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import is_id
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors
from trainyard.store.records import Life, RecordStore
from trainyard.store.resources.aliases import IMPORTED_SPACE, STUDY_SPACE, NameStore
from trainyard.store.resources.dataset_store import DATASET_LIFE, DatasetStore
from trainyard.store.resources.kept_store import DRAFT_LIFE, EXPERIMENT_LIFE, draft_store, experiment_store
from trainyard.store.resources.model_store import MODEL_LIFE, ModelStore
from trainyard.store.resources.project_store import ProjectStore
from trainyard.store.resources.webhook_store import WEBHOOK_LIFE, webhook_store
from trainyard.store.runs.run_store import RUN_LIFE, RunStore
from trainyard.webhooks.record import Webhook

Record = TypeVar("Record", bound=Kept)
LOCK_S = 60.0
"""How long a process that compares may give no sign of life before another one takes over."""
AT_ONCE = 20
"""Records between two such signs; they are restored by one transaction, which takes Redis some 4 ms."""
PAUSE_S = 0.004
"""After so many: the comparison goes on beside requests and work, on the same processor."""


@dataclass
class Report:
    """How many records were `restored` to Redis, `written` to storage, the `same` in both, or `removed`; and
    how many of them were `requeued`: they waited and were in no queue.

    The last were deleted by a client before, and their folders have followed now. `problems` has a line for
    each folder that was left alone, and why.
    """

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Kind(Generic[Record]):
    """What is needed to compare the records of one kind."""

    store: RecordStore[Record]
    registry: Records[Record]
    life: Life
    folder: Path


class Reindex:
    """Compares Redis with storage, in one process at a time."""

    def __init__(
        self, client: Client, storage: Storage, datasets: DatasetRegistry, runs: RunRegistry
    ) -> None:
        self._client = client
        self._datasets = datasets
        self._runs = runs
        self._lists_are_old = False
        self._names = NameStore(client, STUDY_SPACE)
        self._imported = NameStore(client, IMPORTED_SPACE)
        self._projects = ProjectStore(client)
        self.deliveries = DeliveryLog(client, storage)
        self._datasets_kind = _Kind[Dataset](
            store=DatasetStore(client),
            registry=datasets,
            life=DATASET_LIFE,
            folder=storage.root / "datasets",
        )
        self._runs_kind = _Kind[Run](
            store=RunStore(client), registry=runs, life=RUN_LIFE, folder=storage.root / "runs"
        )
        self._kept_kinds: tuple[_Kind[Any], ...] = (
            _Kind[TrainedModel](
                store=ModelStore(client),
                registry=ModelRegistry(client, storage),
                life=MODEL_LIFE,
                folder=storage.root / "models",
            ),
            _Kind[Draft](
                store=draft_store(client),
                registry=draft_records(client, storage),
                life=DRAFT_LIFE,
                folder=storage.root / "drafts",
            ),
            _Kind[SavedExperiment](
                store=experiment_store(client),
                registry=experiment_records(client, storage),
                life=EXPERIMENT_LIFE,
                folder=storage.root / "experiments",
            ),
            _Kind[Webhook](
                store=webhook_store(client),
                registry=webhook_records(client, storage),
                life=WEBHOOK_LIFE,
                folder=storage.root / "webhooks",
            ),
        )

    def ensure(self) -> Report | None:
        """Compare them unless that was done since this Redis started; None where there was nothing to do.

        Other processes wait meanwhile. Raises StoreUnavailable and StorageUnavailable.
        """
        with store_errors():
            return None if self._is_done() else self._alone(again=False)

    def rebuild(self) -> Report:
        """Compare them now; raises StoreUnavailable and StorageUnavailable."""
        return self._alone(again=True) or Report()

    def _alone(self, again: bool) -> Report | None:
        with store_errors(), self._client.lock(keys.INDEXING, timeout=LOCK_S) as lock:
            if not again and (self._is_done() or self._lost_nothing()):
                self._note_done()
                return None
            self._lists_are_old = not self._has_present_lists()
            self._announce(first=True)
            report = Report()
            self._compare(self._datasets_kind, report, lock)
            self._compare(self._runs_kind, report, lock)
            for kind in self._kept_kinds:
                self._compare(kind, report, lock)
            self.deliveries.restore()
            self._requeue(report)
            if not self._has_present_lists():
                self._client.set(keys.LISTS, keys.LISTS_VERSION)
            self._note_done()
            self._client.delete(keys.REBUILDING)
            return report

    def _lost_nothing(self) -> bool:
        """Whether this Redis was compared before its last start, and then stopped in order."""
        compared, stopped = self._client.mget(keys.INDEXED, keys.STOPPED)
        return compared is not None and compared == stopped and self._has_present_lists()

    def _has_present_lists(self) -> bool:
        """Whether this Redis was last filled by a release that has these lists of runs, or newer ones."""
        return int(str(self._client.get(keys.LISTS) or 0)) >= keys.LISTS_VERSION

    def _announce(self, *, first: bool = False) -> None:
        """Say of a Redis that was emptied, or has lists of another release, that it is being filled, for as
        long as a sign of that counts."""
        if first and (self._lists_are_old or not self._client.exists(keys.INDEXED)):
            self._client.set(keys.REBUILDING, 1)
        self._client.expire(keys.REBUILDING, round(LOCK_S))

    def _requeue(self, report: Report) -> None:
        for registry in (self._datasets, self._runs):
            if again := registry.requeue_lost():
                report.counts["requeued"] += len(again)

    def _is_done(self) -> bool:
        """Also by a process of another release: by an older one not all records may have been read."""
        server = self._server()
        compared, version = self._client.hmget(keys.INDEXED_SPEC, "run_id", "version")
        reads_all = compared == server and int(str(version)) >= SPEC_VERSION
        return bool(self._client.get(keys.INDEXED) == server) and reads_all and self._has_present_lists()

    def _note_done(self) -> None:
        server = self._server()
        told: list[str | int] = ["run_id", server, "version", SPEC_VERSION, "at", secrets.token_hex(4)]
        self._client.hset(keys.INDEXED_SPEC, items=told)
        self._client.set(keys.INDEXED, server)

    def _server(self) -> str:
        """Changes with every start of Redis."""
        return str(self._client.info("server")["run_id"])

    def _compare(self, kind: _Kind[Record], report: Report, lock: Lock) -> None:
        found = _record_ids(kind.folder)
        for first in range(0, len(found), AT_ONCE):
            lock.reacquire()
            self._announce()
            self._settle(kind, found[first : first + AT_ONCE], report)
            time.sleep(PAUSE_S)
        for record_id in kind.store.ids() - set(found):
            with suppress(NotFound, Unreadable):  # removed meanwhile, or nothing that could be written
                kind.registry.repair(record_id)
                report.counts["written"] += 1

    def _settle(self, kind: _Kind[Record], record_ids: list[str], report: Report) -> None:
        """Let the higher revision of each record win."""
        ahead: dict[str, Record] = {}
        stored: dict[str, dict[str, Any]] = {}
        for record_id, revision in kind.store.revisions(record_ids).items():
            with _told(kind, record_id, report):
                found = self._read(kind, record_id, revision)
                if isinstance(found, str):
                    report.counts[found] += 1
                else:
                    ahead[record_id], stored[record_id] = found
        outcomes = kind.store.restore(ahead, kind.life, kind.registry.rules, stored)
        for record, outcome in zip(ahead.values(), outcomes, strict=True):
            with _told(kind, record.id, report):
                report.counts[self._follow(kind, record, outcome)] += 1
        if self._lists_are_old:
            same = [record for record, said in zip(ahead.values(), outcomes, strict=True) if said == "same"]
            self._projects.add({record.project for record in same})
            self._runs.index([record for record in same if isinstance(record, Run)])

    def _read(
        self, kind: _Kind[Record], record_id: str, known: int | None
    ) -> tuple[Record, dict[str, Any]] | str:
        """The record as storage has it, and its JSON data, which may have more of another release's; or what
        became of it where Redis, which has revision `known`, is not asked any more."""
        file = kind.registry.record_file(record_id)
        try:
            data = read_json(file)
            is_same = known is not None and (data.get("id"), data.get("revision")) == (record_id, known)
            if is_same and not self._lists_are_old:
                return "same"  # as nearly all are, so this is what a long comparison takes
            record = kind.store.codec.from_json(data)
        except (BrokenFile, NewerFormat, Unreadable) as error:
            return self._settle_unreadable(kind, file, error)
        if record.id != record_id:
            raise StorageUnavailable(f"its record is that of {record.id}.")
        return record, data

    def _follow(self, kind: _Kind[Record], record: Record, outcome: str) -> str:
        """Do what else the outcome of restoring a record asks for; what became of it."""
        if outcome == "unaccepted":
            raise StorageUnavailable("its submission was never accepted.")
        if outcome == "removed":
            remove_folder(kind.registry.record_file(record.id).parent)
        if outcome == "ahead":
            kind.registry.repair(record.id)
            return "written"
        if outcome not in ("restored", "interrupted"):
            return outcome
        if outcome == "interrupted":
            kind.registry.repair(record.id)
        if isinstance(record, Run):
            self._runs.add_summary(record)
            if study := record.labels.get(STUDY_SPACE):
                self._names.bind(study, record.id)
            if record.imported:
                self._imported.bind(record.imported.alias(record.project), record.id)
            if outcome == "interrupted":
                self._runs.announce_status(self._runs.get(record.id))
        return "restored"

    def _settle_unreadable(
        self, kind: _Kind[Record], file: Path, error: BrokenFile | NewerFormat | Unreadable
    ) -> str:
        """As `_read`; raises the error where the file is left as it is."""
        outcome = note_unreadable(kind.store, kind.life, file, error)
        if outcome == "removed":
            remove_folder(file.parent)
            return outcome
        if outcome == "known" and isinstance(error, BrokenFile):
            kind.registry.repair(file.parent.name)
            return "written"
        raise error


@contextmanager
def _told(kind: _Kind[Any], record_id: str, report: Report) -> Iterator[None]:
    """A record that cannot be settled is a line of the report, and keeps no other from it."""
    try:
        yield
    except (StorageUnavailable, Unreadable) as error:
        report.problems.append(f"{kind.store.kind} {record_id} is left alone: {error}")


def _record_ids(root: Path) -> list[str]:
    """The names of the folders of records, sorted; raises StorageUnavailable."""
    try:
        found = sorted(path.name for path in root.iterdir()) if root.exists() else []
    except OSError as error:
        raise storage_error(f"{root.name}/ could not be read", error) from error
    return [name for name in found if is_id(name)]
