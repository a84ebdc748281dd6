"""Use cases of data sets."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.service.datasets.answers import chosen_options
from app.service.datasets.uploads import ArrivedFile, Upload
from app.service.requests.keyed import fingerprint, keyed_id, refuse_other
from app.service.requests.offers import OfferService
from app.service.requests.rollback import rollback_on_error
from trainyard.datasets.record import UNREAD, Dataset, DatasetStatus, IngestOptions
from trainyard.errors import Conflict, InvalidRequest, NotFound, StoreUnavailable
from trainyard.registry.datasets import DatasetRegistry
from trainyard.storage.file_facts import file_facts
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import new_dataset_id
from trainyard.store.processes.uploads import UploadProgress, UploadStore
from trainyard.store.records import Page

NAME_LENGTH = 200
"""Characters that are kept of the name of an annotation file."""
PAGE = 200
"""Records looked at in one go when a set is sought by its name."""


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """What a client says about an upload; `incoming` is a path below the data root in its place."""

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
        offers: OfferService,
        notify: Callable[[str], bool],
        max_upload_bytes: int,
    ) -> None:
        self._datasets = datasets
        self._uploads = uploads
        self._storage = storage
        self._offers = offers
        self._notify = notify
        self._max_upload_bytes = max_upload_bytes

    @contextmanager
    def receiving(
        self, request_id: str, announced: int | None, dataset_id: str | None = None
    ) -> Iterator[Upload]:
        """A new data set's upload; its folder is gone at the end unless `create` accepted it.

        `announced` bytes are to come; `progress` tells how many have, by the request's id. `dataset_id` is
        chosen by the caller where one upload stands for one set.
        """
        self._datasets.require_store()

        def tell(received: int) -> None:
            with suppress(StoreUnavailable):  # only what is shown of the upload is lost
                self._uploads.tell(request_id, UploadProgress(received, announced))

        dataset_id = dataset_id or new_dataset_id()
        upload = Upload(dataset_id, self._storage.dataset(dataset_id), self._max_upload_bytes, tell)
        with rollback_on_error(self._datasets, dataset_id, upload.folder):
            try:
                yield upload
            finally:
                upload.close()

    def create(
        self,
        upload: Upload,
        request: DatasetRequest,
        archive: ArrivedFile | None = None,
        annotation: ArrivedFile | None = None,
        annotation_name: str | None = None,
        key: str | None = None,
    ) -> tuple[bool, Dataset]:
        """Accept what was received, or what lies in storage, and queue its ingest: whether it is new, and the
        set. The same `key` again in the same project finds the same set.

        Raises InvalidRequest, and Conflict where `key` came with another request before.
        """
        if (archive is None) == (request.incoming is None):
            said = ["an archive under `file`, or a `path` in its place"]
            raise InvalidRequest("Give either a file or a path.", errors={"file": said, "path": said})
        if request.incoming is not None:
            self._storage.data.path(request.incoming)
        self._offers.check_format(request.options.format)
        dataset = Dataset(
            id=keyed_id("ds", request.project, key) if key else upload.dataset_id,
            name=request.name,
            project=request.project,
            created_at=time.time(),
            options=request.options,
            upload_bytes=upload.bytes,
            annotation_name=_shown(annotation_name) if annotation else None,
            incoming=request.incoming,
            request=_fingerprint(request, archive, annotation) if key else None,
        )
        if key and self._datasets.exists(dataset.id):
            return self._found(upload, dataset)
        upload.keep(archive, annotation)
        with rollback_on_error(self._datasets, dataset.id, self._storage.dataset(dataset.id).path):
            if key:
                upload.become(dataset.id, self._storage.dataset(dataset.id))
            created, stored = self._datasets.submit(dataset)
        if not created:
            return self._found(upload, dataset)
        self._notify(stored.queue)
        return True, stored

    def register(self, name: str, project: str, parts: Mapping[str, str], options: IngestOptions) -> Dataset:
        """The set that these parts make, paths below the data root by their names at the top of the set; they
        are read where they lie.

        The same parts are the same set, with its options: it is read again where files have changed since, or
        where reading it came to nothing. Raises InvalidRequest, StorageUnavailable and Conflict.
        """
        dataset_id = keyed_id("ds", project, json.dumps(dict(parts), sort_keys=True))
        places = {part: self._storage.data.path(path) for part, path in parts.items()}
        digest = fingerprint({part: file_facts(path) for part, path in places.items()})
        if self._datasets.exists(dataset_id):
            return self._reread(self._datasets.get(dataset_id), digest)
        dataset = Dataset(
            id=dataset_id,
            name=name,
            project=project,
            created_at=time.time(),
            options=options,
            parts=dict(parts),
            files_digest=digest,
        )
        with rollback_on_error(self._datasets, dataset_id, self._storage.dataset(dataset_id).path):
            _, stored = self._datasets.submit(dataset)
        return self._queued(stored)

    def _reread(self, seen: Dataset, digest: str) -> Dataset:
        """Queue another ingest of parts, unless it is under way or would come to the same."""
        is_read = seen.status == DatasetStatus.READY and seen.refused_change is None
        if seen.status in UNREAD or (is_read and seen.files_digest == digest):
            return seen
        again = {"change": self._datasets.to_json(seen)["options"]} if seen.summary else {}
        afresh: dict[str, Any] = {"error": None, "problems": [], "questions": [], "refused_change": None}
        return self._queued(self._datasets.reopen(seen, **again, **afresh, files_digest=digest))

    def _found(self, upload: Upload, asked: Dataset) -> tuple[bool, Dataset]:
        """The set that the same request made before; what was received for it again is deleted."""
        dataset = self._datasets.repair(asked.id)
        if upload.dataset_id != dataset.id:
            remove_folder(upload.folder)
        refuse_other(dataset.id, dataset.status, dataset.request, asked.request or "")
        return False, dataset

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
        return self._read_again(seen, options)

    def answer(self, dataset_id: str, answers: Mapping[str, str], options: Mapping[str, Any]) -> Dataset:
        """Read the kept upload again with the chosen readings, and with options of the client's own.

        The version in use stays so until the new one is ready. Raises NotFound, InvalidRequest for an answer
        to no open question or no choice of it, and Conflict while the set waits for its ingest or is read.
        """
        seen = self._datasets.get(dataset_id)
        base = seen.options
        questions = seen.questions
        if seen.refused_change is not None and seen.refused_change.questions:
            base, questions = seen.refused_change.options, seen.refused_change.questions
        if not answers and not options:
            said = [f"the questions are {', '.join(one.code for one in questions) or 'none'}"]
            raise InvalidRequest("Nothing is answered.", errors={"answers": said})
        settled = chosen_options(questions, answers)
        own = {name: value for name, value in settled.items() if name not in options}
        self._offers.check_format(options.get("format"))
        return self._read_again(seen, replace(base, **options), own)

    def retry(self, dataset_id: str) -> Dataset:
        """Read the kept upload again, as it was asked for, where that has failed.

        Asked for again while the set waits for it, it changes nothing. The version in use stays so until the
        new one is ready. Raises NotFound, and Conflict where nothing has failed.
        """
        seen = self._datasets.get(dataset_id)
        if seen.status in UNREAD:
            return seen
        if seen.status == DatasetStatus.FAILED:
            return self._queued(self._datasets.reopen(seen, error=None, problems=[]))
        if seen.refused_change is None or seen.refused_change.questions:
            raise Conflict(
                f"Data set {dataset_id} is {seen.status}, and nothing of it has failed.",
                errors={"status": seen.status},
            )
        return self._read_again(seen, seen.refused_change.options)

    def preview(self, dataset_id: str, question: str, choice: str) -> Path:
        """The picture of a reading that fits an open question; raises NotFound."""
        dataset = self._datasets.get(dataset_id)
        refused = dataset.refused_change
        for one in (*dataset.questions, *(refused.questions if refused else ())):
            for offered in one.choices:
                if (one.code, offered.key) == (question, choice) and offered.preview:
                    return self._storage.dataset(dataset.id).previews / f"{one.code}-{offered.key}.png"
        raise NotFound(f"No preview shows {choice[:40]!r} of the question {question[:40]!r}.")

    def _read_again(
        self, seen: Dataset, options: IngestOptions, settled: Mapping[str, Any] | None = None
    ) -> Dataset:
        """Queue another ingest by these options and those that are `settled`, in the form of a record."""
        field = "change" if seen.summary else "options"
        changed = {**self._datasets.to_json(replace(seen, options=options))["options"], **(settled or {})}
        return self._queued(
            self._datasets.reopen(seen, **{field: changed}, refused_change=None, questions=[])
        )

    def _queued(self, dataset: Dataset) -> Dataset:
        self._notify(dataset.queue)
        return dataset

    def remove(self, dataset_id: str) -> None:
        """Delete a set and its files; raises NotFound, and Conflict while queued or running runs need it."""
        self._datasets.remove(dataset_id)

    def exists(self, dataset_id: str) -> bool:
        """Whether there is such a set."""
        return self._datasets.exists(dataset_id)

    def get(self, dataset_id: str) -> Dataset:
        """The record; raises NotFound."""
        return self._datasets.get(dataset_id)

    def names(self, dataset_ids: Collection[str]) -> dict[str, str]:
        """What those of the sets are called that are still there, by id."""
        return self._datasets.names(dataset_ids)

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


def _fingerprint(request: DatasetRequest, archive: ArrivedFile | None, annotation: ArrivedFile | None) -> str:
    files = [one and one.checksum for one in (archive, annotation)]
    return fingerprint({**asdict(request), "files": files})
