"""Records that clients alone make, change and remove, as the rest of the house sees them."""

from collections.abc import Mapping
from typing import Any

from trainyard.access import require_project
from trainyard.library.draft import Draft
from trainyard.library.saved_experiment import SavedExperiment
from trainyard.registry.records import Record, Records
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import check_id
from trainyard.store.connection import Client
from trainyard.store.records import Life
from trainyard.store.resources.kept_store import (
    DRAFT_LIFE,
    EXPERIMENT_LIFE,
    KeptStore,
    draft_store,
    experiment_store,
)
from trainyard.store.resources.webhook_store import WEBHOOK_LIFE, webhook_store
from trainyard.webhooks.record import Webhook


class KeptRecords(Records[Record]):
    """All records of one such kind."""

    _store: KeptStore[Record]

    def __init__(self, store: KeptStore[Record], storage: Storage, life: Life) -> None:
        super().__init__(store, storage, life)

    def create(self, record: Record, status: str) -> Record:
        """Accept a new record. Storage holds it first; raises Forbidden, StorageUnavailable."""
        require_project(record.project)
        self.refuse_forgotten(record.id)
        self._write(record)
        return self._mirrored(self._store.keep(record, record.id, status)[1])

    def change(self, record_id: str, values: Mapping[str, Any]) -> Record:
        """Change fields (JSON data); raises NotFound, and Forbidden for another project."""
        if "project" in values:
            require_project(values["project"])
        return self.edit(record_id, values)

    def remove(self, record_id: str) -> None:
        """Forget a record and delete its folder; raises NotFound and StorageUnavailable."""
        if not self._store.forget(check_id(record_id)):
            raise self.absent(record_id)
        remove_folder(self.record_file(record_id).parent)


def webhook_records(client: Client, storage: Storage) -> KeptRecords[Webhook]:
    """All webhooks."""
    return KeptRecords(webhook_store(client), storage, WEBHOOK_LIFE)


def draft_records(client: Client, storage: Storage) -> KeptRecords[Draft]:
    """All drafts."""
    return KeptRecords(draft_store(client), storage, DRAFT_LIFE)


def experiment_records(client: Client, storage: Storage) -> KeptRecords[SavedExperiment]:
    """All saved experiments."""
    return KeptRecords(experiment_store(client), storage, EXPERIMENT_LIFE)


def kept_records(client: Client, storage: Storage) -> tuple[KeptRecords[Any], ...]:
    """All records of these kinds, each kind by itself."""
    return (
        draft_records(client, storage),
        experiment_records(client, storage),
        webhook_records(client, storage),
    )
