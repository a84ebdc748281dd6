"""What happens to data sets only: another ingest, and their end."""

from collections.abc import Mapping
from typing import Any

from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.store.connection import Client, run_script
from trainyard.store.records import REMEMBERED_S, Life, RecordStore

DATASET_LIFE = Life(
    waiting=DatasetStatus.QUEUED, working=DatasetStatus.INGESTING, failed=DatasetStatus.FAILED
)


class DatasetStore(RecordStore[Dataset]):
    """All data sets."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "dataset", Dataset)

    def reopen(self, seen: Dataset, values: Mapping[str, Any]) -> tuple[str, Dataset | None]:
        """See reopen.lua: the outcome, and the record as it now stands."""
        pairs = self._pairs(values)
        outcome, found = run_script(self.client, "reopen", seen.id, seen.revision, *pairs)
        return outcome, self.codec.from_hash(found) if found else None

    def remove(self, dataset_id: str) -> tuple[str, dict[str, str]]:
        """See remove.lua: the outcome, and the status of each run that needs the set."""
        return run_script(self.client, "remove", dataset_id, REMEMBERED_S)
