"""Files that come in several requests, and go on where they broke off, also after a restart.

What there is of a file is its length on storage: nothing else has to be remembered.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO

from app.service.datasets.datasets import DatasetRequest, DatasetService
from app.service.datasets.uploads import StoredFile
from app.service.requests.keyed import keyed_id
from trainyard.access import present_access, require_project
from trainyard.datasets.record import Dataset
from trainyard.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge, UploadBusy
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage, UploadFolder, remove_folder
from trainyard.storage.ids import is_id, new_upload_id
from trainyard.storage.json_files import read_json, write_json

PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class PartialUpload:
    """A file on its way; `offset` bytes of `total` are there. `created_at` is in seconds since 1970, UTC."""

    id: str
    project: str
    total: int
    offset: int
    created_at: float


@dataclass(frozen=True, kw_only=True)
class WholeFile:
    """A file that its client takes for whole, and its SHA-256 in hex."""

    upload_id: str
    sha256: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class FinishRequest:
    """What a data set is to be made of, in the project of its upload."""

    archive: WholeFile
    annotation: WholeFile | None
    dataset: DatasetRequest


class ResumableUploads:
    """Uploads in pieces."""

    def __init__(self, storage: Storage, datasets: DatasetService, max_bytes: int) -> None:
        self._storage = storage
        self._datasets = datasets
        self._max_bytes = max_bytes

    def begin(self, project: str, total: int) -> PartialUpload:
        """A new upload of so many bytes; raises Forbidden, PayloadTooLarge and StorageUnavailable."""
        require_project(project)
        if total > self._max_bytes:
            raise PayloadTooLarge(f"The upload is larger than {self._max_bytes} bytes.")
        folder = self._storage.upload(new_upload_id())
        told = {"project": project, "total": total, "created_at": time.time()}
        write_json(folder.record, {**told, "created_by": present_access().who})
        try:
            folder.data.touch()
        except OSError as error:
            raise storage_error("The upload could not be begun", error) from error
        return self.state(folder.path.name)

    def state(self, upload_id: str) -> PartialUpload:
        """How far it is; raises NotFound and StorageUnavailable."""
        folder = self._folder(upload_id)
        told = read_json(folder.record)
        return PartialUpload(
            id=upload_id,
            project=told["project"],
            total=told["total"],
            offset=folder.data.stat().st_size,
            created_at=told["created_at"],
        )

    def project_of(self, upload_id: str) -> str | None:
        """Its project; None where there is no such upload."""
        try:
            return self.state(upload_id).project
        except NotFound:
            return None

    def receive(self, upload_id: str, offset: int, stream: IO[bytes], announced: int = 0) -> int:
        """Append what comes, which begins at `offset`; the new offset. A line that breaks costs nothing.

        Raises NotFound, Conflict for another offset, UploadBusy while another request writes,
        PayloadTooLarge for more than was announced, and StorageUnavailable.
        """
        upload = self.state(upload_id)
        with self._writing(upload_id) as file:
            there = file.seek(0, os.SEEK_END)
            if offset != there:
                raise Conflict(
                    f"The upload has {there} bytes, not {offset}.",
                    remedy="Send what comes after the bytes that are there.",
                    errors={"Upload-Offset": [str(there)]},
                )
            if offset + announced > upload.total:
                raise PayloadTooLarge(f"More is to come than the {upload.total} bytes of the upload.")
            try:
                _append(file, stream, upload.total)
            except OSError as error:
                raise storage_error("The upload could not be stored", error) from error
            return file.tell()

    def finish(self, request_id: str, upload_id: str, asked: FinishRequest) -> tuple[bool, Dataset]:
        """Make a data set of whole files: whether it is new, and the set. Again, it is the same set.

        The files stay where the request is refused. Raises NotFound, Conflict for a file that is not whole,
        InvalidRequest for another SHA-256, and as `DatasetService.create`.
        """
        dataset_id = keyed_id("ds", "upload", upload_id)
        with self._datasets.receiving(request_id, None, dataset_id) as upload:
            if self._datasets.exists(dataset_id):
                return False, self._datasets.get(dataset_id)
            project = self.state(upload_id).project
            archive = self.whole(asked.archive, project)
            annotation = self.whole(asked.annotation, project) if asked.annotation else None
            for file in filter(None, (archive, annotation)):
                upload.count(file.path.stat().st_size)
            name = asked.annotation.name if asked.annotation else None
            request = replace(asked.dataset, project=project)
            created, dataset = self._datasets.create(upload, request, archive, annotation, name)
        for one in filter(None, (asked.archive, asked.annotation)):
            remove_folder(self._storage.upload(one.upload_id).path)
        return created, dataset

    def abandon(self, upload_id: str) -> None:
        """Throw away what there is; raises NotFound and StorageUnavailable."""
        remove_folder(self._folder(upload_id).path)

    def whole(self, asked: WholeFile, project: str) -> StoredFile:
        """A file that has come whole; raises NotFound, Conflict, and InvalidRequest for one of another
        project or content, and StorageUnavailable."""
        upload = self.state(asked.upload_id)
        if upload.project != project:
            raise InvalidRequest(
                f"Upload {upload.id} is of the project {upload.project!r}, not {project!r}.",
                errors={"project": [upload.project]},
            )
        if upload.offset != upload.total:
            raise Conflict(
                f"Upload {upload.id} has {upload.offset} of {upload.total} bytes.",
                errors={"Upload-Offset": [str(upload.offset)]},
            )
        path = self._storage.upload(upload.id).data
        with self._writing(upload.id), path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != asked.sha256.lower():
            raise InvalidRequest(
                f"Upload {upload.id} is not what its client sent: its SHA-256 is {found}.",
                remedy="Delete it, and upload the file again.",
                errors={"sha256": [found]},
            )
        return StoredFile(path)

    def _folder(self, upload_id: str) -> UploadFolder:
        if is_id(upload_id) and (folder := self._storage.upload(upload_id)).data.exists():
            return folder
        raise NotFound(
            f"There is no upload {upload_id[:40]!r}.",
            remedy="Begin another with POST /uploads; one that nobody has gone on with for a day is deleted.",
        )

    @contextmanager
    def _writing(self, upload_id: str) -> Iterator[BinaryIO]:
        """The file, which no other request writes to meanwhile; raises UploadBusy and NotFound."""
        path = self._folder(upload_id).data
        try:
            file = path.open("r+b", buffering=0)
        except FileNotFoundError as error:
            raise NotFound(f"There is no upload {upload_id}.") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UploadBusy() from error
            _note_use(path.parent)
            yield file
            _note_use(path.parent)


def _append(file: BinaryIO, stream: IO[bytes], total: int) -> None:
    """Write what comes as it comes; raises PayloadTooLarge, and OSError where storage fails."""
    try:
        while piece := stream.read(PIECE):
            if file.tell() + len(piece) > total:
                raise PayloadTooLarge(f"More has come than the {total} bytes that were announced.")
            _write(file, piece)
    finally:
        os.fsync(file.fileno())


def _write(file: BinaryIO, piece: bytes) -> None:
    """All of it: an unbuffered file may take less at a time."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


def _note_use(folder: Path) -> None:
    """What was touched lately is not swept away."""
    if folder.exists():
        os.utime(folder)
