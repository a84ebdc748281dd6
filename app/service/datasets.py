"""Use cases of data sets."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.service.submission import whole_or_absent
from app.service.uploads import Upload
from trainyard.datasets import Dataset, DatasetStatus, IngestOptions
from trainyard.registry import DatasetRegistry
from trainyard.storage import Storage, new_dataset_id
from trainyard.store.records import Page

PAGE = 200
"""Records looked at in one go when a set is sought by its name."""


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """What a client says about an upload."""

    name: str
    project: str
    options: IngestOptions


class DatasetService:
    """Create, list and find data sets."""

    def __init__(
        self, datasets: DatasetRegistry, storage: Storage, kick: Callable[[str], bool], max_upload_bytes: int
    ) -> None:
        self._datasets = datasets
        self._storage = storage
        self._kick = kick
        self._max_upload_bytes = max_upload_bytes

    @contextmanager
    def receiving(self) -> Iterator[Upload]:
        """A new data set's upload; its folder is gone at the end unless `create` accepted it."""
        self._datasets.require_store()
        dataset_id = new_dataset_id()
        upload = Upload(dataset_id, self._storage.dataset(dataset_id), self._max_upload_bytes)
        with whole_or_absent(self._datasets, dataset_id, upload.folder):
            try:
                yield upload
            finally:
                upload.close()

    def create(self, upload: Upload, request: DatasetRequest) -> Dataset:
        """Accept a received upload and queue its ingest."""
        upload.keep()
        _, dataset = self._datasets.submit(
            Dataset(
                id=upload.dataset_id,
                name=request.name,
                project=request.project,
                created_at=time.time(),
                options=request.options,
                upload_bytes=upload.bytes,
            )
        )
        self._kick(dataset.queue)
        return dataset

    def get(self, dataset_id: str) -> Dataset:
        """The record; raises NotFound."""
        return self._datasets.get(dataset_id)

    def page(self, status: str | None, project: str | None, cursor: str | None, limit: int) -> Page[Dataset]:
        """A page of records, newest first."""
        return self._datasets.page(status, project, cursor, limit)

    def newest_named(self, project: str, name: str, status: DatasetStatus | None) -> Dataset | None:
        """The newest set of that name in the project, of one status or any."""
        cursor = None
        while True:
            page = self._datasets.page(status, project, cursor, PAGE)
            found = next((dataset for dataset in page.items if dataset.name == name), None)
            if found or not page.next_cursor:
                return found
            cursor = page.next_cursor
