"""Use cases of data sets."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from app.service.submission import whole_or_absent
from app.service.uploads import ReceivedFile, Upload
from trainyard.dataset_registry import DatasetRegistry
from trainyard.datasets import Dataset, DatasetStatus, IngestOptions
from trainyard.errors import InvalidRequest, NotFound, StoreUnavailable
from trainyard.storage import Storage, new_dataset_id
from trainyard.store.records import Page
from trainyard.store.uploads import UploadProgress, UploadStore

NAME_LENGTH = 200
"""Characters that are kept of the name of an annotation file."""
PAGE = 200
"""Records looked at in one go when a set is sought by its name."""


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """What a client says about an upload; `incoming` is a path below the storage's incoming/ in its place."""

    name: str
    project: str
    options: IngestOptions
    incoming: str | None = None


class DatasetService:
    """Create, list and find data sets."""

    def __init__(
        self,
        datasets: DatasetRegistry,
        uploads: UploadStore,
        storage: Storage,
        kick: Callable[[str], bool],
        max_upload_bytes: int,
    ) -> None:
        self._datasets = datasets
        self._uploads = uploads
        self._storage = storage
        self._kick = kick
        self._max_upload_bytes = max_upload_bytes

    @contextmanager
    def receiving(self, request_id: str, announced: int | None) -> Iterator[Upload]:
        """A new data set's upload; its folder is gone at the end unless `create` accepted it.

        `announced` bytes are to come; `progress` tells how many have, by the request's id.
        """
        self._datasets.require_store()

        def tell(received: int) -> None:
            with suppress(StoreUnavailable):  # only what is shown of the upload is lost
                self._uploads.tell(request_id, UploadProgress(received, announced))

        dataset_id = new_dataset_id()
        upload = Upload(dataset_id, self._storage.dataset(dataset_id), self._max_upload_bytes, tell)
        with whole_or_absent(self._datasets, dataset_id, upload.folder):
            try:
                yield upload
            finally:
                upload.close()

    def create(
        self,
        upload: Upload,
        request: DatasetRequest,
        archive: ReceivedFile | None = None,
        annotation: ReceivedFile | None = None,
        annotation_name: str | None = None,
    ) -> Dataset:
        """Accept what was received, or what lies in storage, and queue its ingest; raises InvalidRequest."""
        if (archive is None) == (request.incoming is None):
            said = ["an archive under `file`, or a `path` in its place"]
            raise InvalidRequest("Give either a file or a path.", errors={"file": said, "path": said})
        if request.incoming is not None:
            self._storage.incoming(request.incoming)
        upload.keep(archive, annotation)
        _, dataset = self._datasets.submit(
            Dataset(
                id=upload.dataset_id,
                name=request.name,
                project=request.project,
                created_at=time.time(),
                options=request.options,
                upload_bytes=upload.bytes,
                annotation_name=_shown(annotation_name) if annotation else None,
                incoming=request.incoming,
            )
        )
        self._kick(dataset.queue)
        return dataset

    def progress(self, request_id: str) -> UploadProgress:
        """How far an upload under way is; raises NotFound."""
        progress = self._uploads.get(request_id)
        if progress is None:
            raise NotFound(
                f"No upload is known by the request id {request_id[:64]!r}.",
                remedy="Send the upload with a header X-Request-ID of your own, and ask with it.",
            )
        return progress

    def relabel(
        self, dataset_id: str, label_map: dict[int, int | None], classes: dict[int, str] | None
    ) -> Dataset:
        """Read the kept upload again with another label map, as a new version.

        The version in use stays so until the new one is ready. Raises NotFound, and Conflict while the set
        waits for its ingest or is ingested.
        """
        seen = self._datasets.get(dataset_id)
        options = replace(seen.options, label_map=label_map, classes=classes or seen.options.classes)
        field = "change" if seen.summary else "options"
        changed = self._datasets.to_json(replace(seen, options=options))["options"]
        dataset = self._datasets.reopen(seen, **{field: changed}, refused_change=None)
        self._kick(dataset.queue)
        return dataset

    def remove(self, dataset_id: str) -> None:
        """Delete a set and its files; raises NotFound, and Conflict while queued or running runs need it."""
        self._datasets.remove(dataset_id)

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
            found = next((dataset for dataset in page.readable if dataset.name == name), None)
            if found or not page.next_cursor:
                return found
            cursor = page.next_cursor


def _shown(name: str | None) -> str:
    """A client's name of a file as data: printable, its end kept, which says the kind."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name or "")
    return text[-NAME_LENGTH:] or "annotation"
