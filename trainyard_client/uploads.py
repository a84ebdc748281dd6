"""Files to the server: small ones as a form, large ones in pieces that go on where they broke off."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from trainyard_client.downloads import Progress, nothing, sha256_of
from trainyard_client.errors import NotFound, SettingsError, TransferDamaged
from trainyard_client.transport import ANSWER_S, KEY_HEADER, Transport

IN_PIECES_BYTES = 16 << 20
"""From this size on a file is sent in pieces."""
PIECE_BYTES = 32 << 20
"""Sent in one request: what breaks off is gone on with, so this only bounds how long one takes."""
READ_BYTES = 1 << 16
IMPORT_S = 660.0
"""How long a server's worker may take for an experiment, a little more than it is given there."""
HASHED_BYTES_PER_S = 50e6
"""How slowly a server may read a whole file to check it."""
UPLOADS = "/api/v1/uploads"
OFFSET = "Upload-Offset"
_BODY = "application/offset+octet-stream"


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


def upload_in_pieces(
    transport: Transport,
    fields: Mapping[str, Any],
    archive: Path,
    annotation: Path | None = None,
    progress: Progress = nothing,
) -> Any:
    """Send an archive, perhaps with its annotation, so that a line that breaks costs nothing; the data set.

    An upload that an earlier call, or process, left unfinished is gone on with, where the file is the same.
    Raises SettingsError for a file that cannot be read, TransferDamaged for one that changes meanwhile, and
    other TrainyardErrors.
    """
    project = {name: value for name, value in fields.items() if name == "project"}
    sent = _Sending(transport, archive, project).whole(progress)
    body = {name: value for name, value in fields.items() if name != "project"}
    body["sha256"] = sent.sha256
    if annotation:
        beside = _Sending(transport, annotation, project).whole(nothing)
        body["annotation"] = {"upload_id": beside.id, "sha256": beside.sha256, "name": annotation.name}
    timeout = ANSWER_S + archive.stat().st_size / HASHED_BYTES_PER_S
    path = f"{UPLOADS}/{sent.id}/finish"
    made = transport.json("POST", path, json=body, repeatable=True, timeout=timeout)
    sent.forget()
    return made


def upload_experiment(
    transport: Transport,
    path: str,
    fields: Mapping[str, Any],
    archive: Path,
    key: str,
    progress: Progress = nothing,
) -> Any:
    """Send the archive of an experiment in pieces, and have a run made of it; the run.

    An upload that was left unfinished is gone on with. Raises as `upload_in_pieces`.
    """
    project = {name: value for name, value in fields.items() if name == "project"}
    sent = _Sending(transport, archive, project).whole(progress)
    body = {**fields, "upload_id": sent.id, "sha256": sent.sha256}
    timeout = IMPORT_S + archive.stat().st_size / HASHED_BYTES_PER_S
    headers = {KEY_HEADER: key}
    made = transport.json("POST", path, json=body, headers=headers, repeatable=True, timeout=timeout)
    sent.forget()
    return made


class _Sending:
    """One file on its way. What is sent is noted beside other caches of this user, to go on with it later."""

    def __init__(self, transport: Transport, file: Path, project: Mapping[str, Any]) -> None:
        self.id = ""
        self.sha256 = ""
        self._transport = transport
        self._file = file
        self._project = project
        try:
            facts = file.stat()
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
        self._total = facts.st_size
        said = [transport.url, str(file.resolve()), facts.st_size, facts.st_mtime_ns, dict(project)]
        name = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]
        self._note = _cache() / name

    def whole(self, progress: Progress) -> "_Sending":
        """Send what the server lacks, and know the SHA-256 of all of it."""
        offset = self._begun()
        with _opened(self._file) as file:
            while offset < self._total:
                offset = self._piece(file, offset, progress)
        self.sha256 = sha256_of(self._file).hex()
        return self

    def forget(self) -> None:
        """Nothing is left to go on with."""
        with suppress(OSError):
            self._note.unlink(missing_ok=True)

    def _begun(self) -> int:
        """Find the upload that was left unfinished, or begin one; how far it is."""
        with suppress(OSError, NotFound):
            self.id = self._note.read_text()
            return self._offset()
        body = {"bytes": self._total, **self._project}
        self.id = self._transport.json("POST", UPLOADS, json=body, repeatable=True)["id"]
        with suppress(OSError):  # then it is not gone on with by another process
            self._note.parent.mkdir(parents=True, exist_ok=True)
            self._note.write_text(self.id)
        return 0

    def _offset(self) -> int:
        return int(self._transport.json("GET", f"{UPLOADS}/{self.id}")["offset"])

    def _piece(self, file: BinaryIO, offset: int, progress: Progress) -> int:
        """Send the next piece, from where the server is should the line break; how far it is then."""
        is_first = True

        def send() -> int:
            nonlocal is_first
            start = offset if is_first else self._offset()
            is_first = False
            length = min(PIECE_BYTES, self._total - start)
            if length <= 0:
                return start
            headers = {OFFSET: str(start), "Content-Type": _BODY, "Content-Length": str(length)}
            body = self._read(file, start, length, progress)
            path = f"{UPLOADS}/{self.id}"
            answer: httpx.Response = self._transport.once("PATCH", path, content=body, headers=headers)
            return int(answer.headers[OFFSET])

        reached: int = self._transport.repeated(send)
        return reached

    def _read(self, file: BinaryIO, start: int, length: int, progress: Progress) -> Iterator[bytes]:
        file.seek(start)
        left = length
        while left:
            piece = file.read(min(READ_BYTES, left))
            if not piece:
                raise TransferDamaged(f"{self._file} has become shorter while it was sent.")
            left -= len(piece)
            yield piece
            progress(start + length - left, self._total)


def _cache() -> Path:
    """Where unfinished uploads are noted."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "trainyard" / "uploads"


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
        while piece := self.read(READ_BYTES):
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
