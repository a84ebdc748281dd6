"""The files of a tar, read where they lie in it; a compressed one is first unpacked to a plain one.

No member is ever unpacked under its name: the plain tar that is written has a name of our own.
"""

import bz2
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from workers.ingest.archive import (
    MIB,
    ArchiveLimits,
    Entry,
    Member,
    check_total,
    damaged,
    link_objection,
    usable,
)
from workers.ingest.member_file import member_file
from workers.ingest.positioned import PositionedFile
from workers.ingest.problems import ProblemLog, Refused

COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
"""First bytes of the compressions that a tar comes in."""

XZ_MEMORY = 128 * MIB
"""Bytes that an xz may ask for to be unpacked; the strongest usual setting asks for 65 MB."""

_PIECE = 1 * MIB
_BROKEN = (tarfile.TarError, EOFError, ValueError, OverflowError, LookupError, struct.error)


class TarSource:
    """An open plain tar. `members` are the files worth looking at, by path."""

    def __init__(self, path: Path, packed: int | None, limits: ArchiveLimits, log: ProblemLog) -> None:
        """Open and list; `packed` is the size in bytes that was uploaded, None where nothing was packed.

        What is wrong goes to the log. Raises Refused where it is no readable tar, OSError of the storage.
        """
        self._path = path
        self._file = PositionedFile(path)
        try:
            self._file.longest_read = limits.directory_bytes  # a header may say that its name has gigabytes
            entries = list(self._entries(limits))
            self.members = usable(entries, packed, limits, log)
        except Refused:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, member: Member) -> bytes:
        """The bytes of a member; raises Refused where the archive is shorter than they."""
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The member, to be read in pieces; a read raises Refused where the archive ends within it."""
        file = PositionedFile(self._path)
        file.seek(member.place)
        return member_file(file, member.size)

    def _entries(self, limits: ArchiveLimits) -> Iterator[Entry]:
        try:
            with tarfile.open(fileobj=self._file, mode="r:", encoding="utf-8") as archive:
                for count, info in enumerate(archive):
                    archive.members = []  # type: ignore[attr-defined]  # else it keeps them all
                    if info.isdir():
                        continue
                    if count > limits.files:
                        return  # one more than the limit: `usable` refuses
                    yield self._entry(info)
        except _BROKEN as error:
            raise damaged(error) from error

    def _entry(self, info: tarfile.TarInfo) -> Entry:
        plain = info.isreg() and not info.issparse()
        if plain and (info.size < 0 or info.offset_data + info.size > self._file.bytes):
            raise damaged(f"it ends within {info.name[:100]!r}")
        return Entry(
            name=info.name,
            size=info.size if plain else 0,
            place=info.offset_data,
            objection=None if plain else link_objection(),
        )


def is_tar(start: bytes) -> bool:
    """Whether a file that starts with these 512 bytes is a plain tar: the header's check sum tells."""
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def compression(start: bytes) -> str | None:
    """The name of the compression of a file that starts so; None for none that a tar comes in."""
    return next((kind for magic, kind in COMPRESSIONS.items() if start.startswith(magic)), None)


def unpack(path: Path, kind: str, target: Path, limits: ArchiveLimits) -> None:
    """Write what a file compressed as `kind` holds to `target`.

    Raises Refused where it is damaged, holds no tar, or unpacks to more than the limits allow.
    """
    packed = path.stat().st_size
    total = 0
    with path.open("rb") as file, target.open("xb") as plain:
        for piece in _pieces(file, kind):
            if total == 0 and not is_tar(piece[: tarfile.BLOCKSIZE]):
                raise Refused(
                    "archive_not_tar", f"This {kind} file holds no tar.", "Send a zip, or a tar of the files."
                )
            total += len(piece)
            check_total(total, packed, limits)
            plain.write(piece)


class _Unpacker(Protocol):
    """What unpacks one stream, as bz2 and lzma offer it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Gzip:
    """zlib's unpacker with the manners of the other two."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max(max_length, 0))


def _unpacker(kind: str) -> _Unpacker:
    if kind == "gzip":
        return _Gzip()
    return bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor(memlimit=XZ_MEMORY)


def _pieces(file: BinaryIO, kind: str) -> Iterator[bytes]:
    """The unpacked bytes, never more than _PIECE at a time; streams may follow one another."""
    unpacker, begun = _unpacker(kind), False
    data = file.read(_PIECE)
    try:
        while True:
            piece = unpacker.decompress(data, _PIECE)
            begun = begun or bool(data)
            if piece:
                yield piece
            if unpacker.eof:
                data = unpacker.unused_data.lstrip(b"\0") or file.read(_PIECE).lstrip(b"\0")
                unpacker, begun = _unpacker(kind), False
            else:
                data = file.read(_PIECE) if unpacker.needs_input else b""
                if not data and not piece and unpacker.needs_input:
                    break
            if not data and not begun:
                break
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the storage; bz2 raises OSError without a number for broken data
        raise damaged(error) from error
    if begun:
        raise damaged("its end is missing")
