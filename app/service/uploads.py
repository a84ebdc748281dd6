"""An upload on its way to disk: written once, to the place where it stays."""

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from zipfile import is_zipfile

from trainyard.errors import InvalidRequest, PayloadTooLarge, StorageUnavailable
from trainyard.storage import DatasetFolder


class Upload:
    """The archive of a data set that is being created, as the file-like object that a form parser fills."""

    def __init__(self, dataset_id: str, folder: DatasetFolder, max_bytes: int) -> None:
        self.dataset_id = dataset_id
        self.folder = folder.path
        self.max_bytes = max_bytes
        self.bytes = 0
        self._target = folder.upload
        self._temporary: Path = folder.path / ".upload.tmp"
        self._file: BinaryIO | None = None

    def open(self) -> "Upload":
        """Begin to receive; raises InvalidRequest for a second file."""
        if self._file is not None:
            raise InvalidRequest("Send one file.", errors={"file": ["exactly one zip archive"]})
        try:
            self.folder.mkdir(parents=True)
            self._file = self._temporary.open("wb")
        except OSError as error:
            raise StorageUnavailable(f"The upload could not be stored: {error.strerror}.") from error
        return self

    def write(self, data: bytes) -> int:
        """Append bytes; raises PayloadTooLarge and StorageUnavailable."""
        self.bytes += len(data)
        if self.bytes > self.max_bytes:
            raise PayloadTooLarge(f"The archive is larger than {self.max_bytes} bytes.")
        try:
            return self._opened().write(data)
        except OSError as error:
            raise StorageUnavailable(f"The upload could not be stored: {error.strerror}.") from error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Part of what a form parser asks of a file."""
        return self._opened().seek(offset, whence)

    def keep(self) -> None:
        """Put the archive in its place; raises InvalidRequest where it is none, or StorageUnavailable."""
        try:
            with self._opened() as file:
                file.flush()
                os.fsync(file.fileno())
            if not is_zipfile(self._temporary):
                raise InvalidRequest(
                    "The file is not a zip archive, or it was cut short.", errors={"file": ["a zip archive"]}
                )
            self._temporary.replace(self._target)
        except OSError as error:
            raise StorageUnavailable(f"The upload could not be stored: {error.strerror}.") from error

    def close(self) -> None:
        """Close the file, kept or not."""
        if self._file is not None:
            with suppress(OSError):  # a full disk has been told of by `write` or `keep`
                self._file.close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise InvalidRequest("A file is needed.", errors={"file": ["a zip archive of images and masks"]})
        return self._file
