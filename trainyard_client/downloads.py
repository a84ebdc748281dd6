"""Files from the server: whole, going on where a line broke, and checked by length and hash."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import httpx

from trainyard_client.errors import Refused, TransferDamaged
from trainyard_client.transport import Transport

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and, once it is known, the whole number."""
PART = ".part"
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)\Z")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


def nothing(_done: int, _total: int | None) -> None:
    """A progress that nobody looks at."""


def download(transport: Transport, path: str, target: Path, progress: Progress = nothing) -> Path:
    """Write the server's file to `target`, which appears when it is whole.

    What an earlier call left behind as `<target>.part` is gone on with, if the file is still the same. The
    length and, where the server tells one, the SHA-256 must agree. Raises TransferDamaged and other
    TrainyardErrors.
    """
    part, version = target.with_name(target.name + PART), target.with_name(target.name + PART + ".etag")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = transport.repeated(lambda: _receive(transport, path, part, version, progress))
    if digest and digest != sha256_of(part):
        part.unlink()
        raise TransferDamaged(f"{target.name} is not what the server holds: its SHA-256 differs.")
    part.replace(target)
    version.unlink(missing_ok=True)
    return target


def _receive(transport: Transport, path: str, part: Path, version: Path, progress: Progress) -> bytes | None:
    """Bring the part to its full length; the SHA-256 that the server tells."""
    etag = version.read_text() if version.is_file() and part.is_file() else ""
    start = part.stat().st_size if etag else 0
    headers = {"Accept-Encoding": "identity", "Want-Repr-Digest": "sha-256=1"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": etag}
    try:
        with transport.stream(path, headers) as response:
            start, total = _bounds(response, start)
            version.write_text(response.headers.get("ETag", ""))
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                for piece in response.iter_bytes():
                    file.write(piece)
                    progress(file.tell(), total)
            return _checked(response, part, total)
    except Refused as error:
        if error.status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            part.unlink()  # longer than the file is now, or whole already: begin anew
            return _receive(transport, path, part, version, progress)
        raise


def _bounds(response: httpx.Response, start: int) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the file is."""
    match = _RANGE.match(response.headers.get("Content-Range", ""))
    if response.status_code == httpx.codes.PARTIAL_CONTENT and match and int(match[1]) == start:
        return start, int(match[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length else None


def _checked(response: httpx.Response, part: Path, total: int | None) -> bytes | None:
    found = part.stat().st_size
    if total is not None and found < total:
        raise httpx.ReadError(f"the line broke after {found} of {total} bytes")
    if total is not None and found > total:
        part.unlink()
        raise TransferDamaged(f"{found} bytes came where {total} were announced.")
    match = _DIGEST.search(response.headers.get("Repr-Digest", ""))
    return base64.b64decode(match[1]) if match else None


def sha256_of(path: Path) -> bytes:
    """The SHA-256 of a file; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
