"""Records as the rest of the house sees them: Redis decides a change, storage mirrors it."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from trainyard.errors import (
    BrokenFile,
    NewerRecord,
    NotFound,
    StorageUnavailable,
    StoreUnavailable,
    Unreadable,
)
from trainyard.lease import LeaseRules
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import check_id, is_id
from trainyard.storage.json_files import is_accepted, read_json, write_json
from trainyard.store.connection import ping
from trainyard.store.records import REBUILDING, Life, Page, RecordStore

logger = logging.getLogger(__name__)


class Kept(Protocol):
    """What all records have in common."""

    @property
    def id(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def revision(self) -> int: ...


class _Folder(Protocol):
    """A folder that holds a record."""

    @property
    def record(self) -> Path: ...


_PREFIXES = {
    "run": "run",
    "dataset": "ds",
    "model": "model",
    "draft": "draft",
    "experiment": "exp",
    "webhook": "hook",
}
Record = TypeVar("Record", bound=Kept)


def _stored(file: Path) -> dict[str, Any]:
    """Raises StorageUnavailable, of it NewerFormat for a file that this release is not to write."""
    try:
        return read_json(file) if file.exists() else {}
    except BrokenFile:
        return {}


class Records(Generic[Record]):
    """All records of a kind. Methods that write raise StoreUnavailable."""

    def __init__(
        self, store: RecordStore[Record], storage: Storage, life: Life, rules: LeaseRules | None = None
    ) -> None:
        self._store = store
        self._storage = storage
        self._life = life
        self.rules = rules or LeaseRules()

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
            raise self.absent(record_id)
        return record

    def absent(self, record_id: str) -> NotFound | StoreUnavailable:
        """What to raise for a record that Redis does not have: there is none, or it is not here again yet."""
        is_expected = self.record_file(record_id).exists() and not self._store.was_removed(record_id)
        if is_expected and self._store.may_lack():
            return StoreUnavailable(REBUILDING)
        return NotFound(f"There is no {self._store.kind} {record_id}.")

    def project_of(self, record_id: str) -> str | None:
        """The project of a record, whether or not it can be read; None where there is no such record."""
        return self._store.field(check_id(record_id), "project")

    def names(self, record_ids: Collection[str]) -> dict[str, str]:
        """What those of the records are called that are there, by id."""
        asked = list(filter(is_id, record_ids))
        found = self._store.field_of_several(asked, "name") if asked else []
        return {record_id: name for record_id, name in zip(asked, found, strict=True) if name is not None}

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

    def edit(self, record_id: str, values: Mapping[str, Any]) -> Record:
        """Change descriptive fields as a client; raises NotFound."""
        record = self._store.edit(check_id(record_id), values)
        if record is None:
            raise self.absent(record_id)
        return self._mirrored(record)

    def repair(self, record_id: str) -> Record:
        """Write the record's file as Redis has it; raises NotFound, Unreadable and StorageUnavailable."""
        return self._written(self.get(record_id))

    def repair_mirrors(self) -> list[str]:
        """Write the files of records that are behind, because storage failed or whoever changed the record
        did not live to write it; their ids. Raises StorageUnavailable."""
        return [record.id for record in self._each(sorted(self._store.unmirrored()), self.repair)]

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
            except NewerRecord:
                continue  # a matter of those processes that are of its release
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
        """What another release has put into the file, and this one does not know, stays there."""
        file = self.record_file(record.id)
        write_json(file, self._store.codec.to_json_over(record, _stored(file)))

    def unknown(self, record_ids: list[str]) -> set[str]:
        """Those of which Redis has no record; raises StoreUnavailable."""
        return {name for name, known in self._store.revisions(record_ids).items() if known is None}

    @property
    def folder(self) -> Path:
        """Where the folders of all records lie."""
        return self._storage.root / f"{self._store.kind}s"

    def record_file(self, record_id: str) -> Path:
        """Where the record's mirror lies in storage."""
        folders: dict[str, Callable[[str], _Folder]] = {
            "run": self._storage.run,
            "dataset": self._storage.dataset,
            "model": self._storage.model,
            "draft": self._storage.draft,
            "experiment": self._storage.experiment,
            "webhook": self._storage.webhook,
        }
        return folders[self._store.kind](record_id).record

    def to_json(self, record: Record) -> dict[str, Any]:
        """The record as plain JSON data."""
        return self._store.codec.to_json(record)
