"""Files to the server as a multipart form, read piece by piece with its progress."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from trainyard_client.downloads import Progress, nothing
from trainyard_client.errors import SettingsError
from trainyard_client.transport import KEY_HEADER, Transport


def upload(
    transport: Transport,
    path: str,
    fields: Mapping[str, Any],
    files: Mapping[str, Path],
    progress: Progress = nothing,
    key: str | None = None,
) -> Any:
    """Send the form; the server's answer.

    A line that breaks is tried again from the start of the files, with the same Idempotency-Key, so that
    nothing is made twice. Raises SettingsError for a file that cannot be read, and other TrainyardErrors.
    """
    headers = {KEY_HEADER: key or uuid.uuid4().hex, "X-Request-ID": uuid.uuid4().hex[:16]}
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}

    def send() -> Any:
        with ExitStack() as stack:
            parts = {name: (one.name, stack.enter_context(_opened(one))) for name, one in files.items()}
            total = sum(one.stat().st_size for one in files.values())
            watched = {
                name: (label, _Watched(file, total, progress)) for name, (label, file) in parts.items()
            }
            return transport.once("POST", path, data=form, files=watched, headers=headers).json()

    return transport.repeated(send)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error


class _Watched:
    """A file that tells how far it has been read."""

    def __init__(self, file: BinaryIO, total: int, progress: Progress) -> None:
        self._file, self._total, self._progress = file, total, progress

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._progress(self._file.tell(), self._total)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(65536):
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
