"""An upload on its way to disk: written once, to the place where it stays."""

import os
import shutil
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from app.service.datasets.archive_check import check_archive
from trainyard.errors import InvalidRequest, PayloadTooLarge, StorageUnavailable
from trainyard.storage.errors import storage_error
from trainyard.storage.files import DatasetFolder

TELL_EVERY_S = 1.0
"""How often it is told how far an upload is."""
MAX_UPLOADS = 8
"""Uploads at a time: each holds a thread of the server."""
MAX_FILES = 2
"""An archive, and an annotation file beside it."""


class ArrivedFile(Protocol):
    """A whole file that is to be part of a data set."""

    path: Path
    checksum: int

    def flush(self) -> None: ...
    def keep(self, target: Path) -> None: ...


class StoredFile:
    """A file that has come in several requests, and stays where it is until its data set is accepted."""

    checksum = 0
    """Of no meaning: such a file is known by its upload."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def flush(self) -> None:
        """It was written whole by the requests that brought it."""

    def keep(self, target: Path) -> None:
        """Let it lie in its place as well; raises OSError."""
        target.unlink(missing_ok=True)  # of a try that ended before its record was there
        try:
            target.hardlink_to(self.path)
        except OSError:
            self.path.replace(target)  # the volume knows no hard links


class ReceivedFile:
    """A file on its way in, as the file-like object that a form parser fills."""

    def __init__(self, path: Path, count: Callable[[int], None]) -> None:
        """`count` is told of bytes before they are written, and may refuse them."""
        self._count = count
        self.path = path
        self.checksum = 0
        self._file: BinaryIO = path.open("wb")

    def write(self, data: bytes) -> int:
        """Append bytes; raises PayloadTooLarge and StorageUnavailable."""
        self._count(len(data))
        self.checksum = zlib.crc32(data, self.checksum)
        try:
            return self._file.write(data)
        except OSError as error:
            raise _not_stored(error) from error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Part of what a form parser asks of a file."""
        return self._file.seek(offset, whence)

    def keep(self, target: Path) -> None:
        """Put the whole file in its place; raises OSError."""
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())
        self.path.replace(target)

    def flush(self) -> None:
        """Hand what is buffered to the system; raises StorageUnavailable."""
        try:
            self._file.flush()
        except OSError as error:
            raise _not_stored(error) from error

    def close(self) -> None:
        """Close the file, kept or not."""
        with suppress(OSError):  # a full disk has been told of by `write` or `keep`
            self._file.close()


class Upload:
    """The files of a data set that is being created; `tell` is told of the bytes so far now and then."""

    def __init__(
        self, dataset_id: str, folder: DatasetFolder, max_bytes: int, tell: Callable[[int], None]
    ) -> None:
        self.dataset_id = dataset_id
        self.folder = folder.path
        self.max_bytes = max_bytes
        self.bytes = 0
        self._places = folder
        self._tell = tell
        self._told_at = 0.0
        self._received: list[ReceivedFile] = []

    def open(self) -> ReceivedFile:
        """Begin to receive a file; raises InvalidRequest for one too many."""
        if len(self._received) == MAX_FILES:
            raise InvalidRequest(
                "Too many files.", errors={"file": ["one archive"], "annotation": ["one annotation file"]}
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            received = ReceivedFile(self._places.receiving(len(self._received)), self.count)
        except OSError as error:
            raise _not_stored(error) from error
        self._received.append(received)
        return received

    def count(self, added: int) -> None:
        """Note bytes that came; raises PayloadTooLarge."""
        self.bytes += added
        if self.bytes > self.max_bytes:
            raise PayloadTooLarge(f"The upload is larger than {self.max_bytes} bytes.")
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._tell(self.bytes)

    def keep(self, archive: ArrivedFile | None, annotation: ArrivedFile | None) -> None:
        """Put the files in their places; raises InvalidRequest for no archive, or StorageUnavailable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if archive is not None:
                archive.flush()
                check_archive(archive.path)
                archive.keep(self._places.upload)
            if annotation is not None:
                annotation.keep(self._places.annotation)
        except OSError as error:
            raise _not_stored(error) from error

    def become(self, dataset_id: str, folder: DatasetFolder) -> None:
        """Move what was kept to the folder of another id; raises StorageUnavailable."""
        shutil.rmtree(folder.path, ignore_errors=True)  # of a request that ended before its record was there
        try:
            if self.folder.exists():  # what lies in storage already has none
                self.folder.replace(folder.path)
        except OSError as error:
            raise _not_stored(error) from error
        self.dataset_id, self.folder = dataset_id, folder.path

    def close(self) -> None:
        """Close all files, kept or not."""
        for received in self._received:
            received.close()


def _not_stored(error: OSError) -> StorageUnavailable:
    return storage_error("The upload could not be stored", error)
