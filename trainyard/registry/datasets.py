"""All data sets, as the rest of the house sees them."""

from pathlib import Path
from typing import Any

from trainyard.datasets.failures import of_dataset
from trainyard.datasets.record import Dataset
from trainyard.errors import Conflict
from trainyard.lease import LeaseRules
from trainyard.registry.base import Registry
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import check_id
from trainyard.store.connection import Client
from trainyard.store.resources.dataset_store import DATASET_LIFE, DatasetStore


class DatasetRegistry(Registry[Dataset]):
    """All data sets."""

    _store: DatasetStore

    def __init__(self, client: Client, storage: Storage, rules: LeaseRules | None = None) -> None:
        super().__init__(DatasetStore(client), storage, DATASET_LIFE, rules)

    @property
    def uploads(self) -> Path:
        """Where files lie that come in several requests."""
        return self._storage.uploads

    def reopen(self, seen: Dataset, **values: Any) -> Dataset:
        """Queue a set, as it was seen, for ingest with fields changed; raises NotFound and Conflict."""
        outcome, dataset = self._store.reopen(seen, values)
        if dataset is None:
            raise self.absent(seen.id)
        if outcome != "ok":
            what = "has just been changed" if outcome == "changed" else f"is {dataset.status}"
            raise Conflict(
                f"Data set {seen.id} {what}; it can be read again once its ingest has ended.",
                errors={"status": dataset.status},
            )
        return self._mirrored(dataset)

    def _lost(self) -> dict[str, Any]:
        return of_dataset(super()._lost())

    def remove(self, dataset_id: str) -> None:
        """Forget a set and delete its folder; raises NotFound, and Conflict while runs need it."""
        outcome, runs = self._store.remove(check_id(dataset_id))
        if outcome == "missing":
            raise self.absent(dataset_id)
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
