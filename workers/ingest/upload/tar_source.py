"""The files of a tar, read where they lie in it; a compressed one is first unpacked to a plain one.

No member is ever unpacked under its name: the plain tar that is written has a name of our own.
"""

import bz2
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol

from workers.ingest.archive import (
    MIB,
    Budget,
    Entry,
    Member,
    bomb,
    damaged,
    link_objection,
    raw_name,
)
from workers.ingest.problems import Refused
from workers.ingest.upload.listing import Listing
from workers.ingest.upload.member_file import Readable, member_file
from workers.ingest.upload.pointers import text_objection
from workers.ingest.upload.pread_file import Extent, PositionedFile

COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
"""First bytes of the compressions that a tar comes in."""

XZ_MEMORY = 128 * MIB
"""Bytes that an xz may ask for to be unpacked; the strongest usual setting asks for 65 MB."""

_PIECE = 1 * MIB
_BROKEN = (tarfile.TarError, EOFError, ValueError, OverflowError, LookupError, struct.error)


class TarSource:
    """An open plain tar. `members` are the files worth looking at, by path, `nested` the archives in it."""

    def __init__(self, extent: Extent, listing: Listing, below: str = "") -> None:
        """Open and list, with paths below the folder `below`. Raises Refused where it is no readable tar,
        OSError where the storage fails."""
        self._extent = extent
        self._limits = listing.limits
        self._file = PositionedFile(extent)
        try:
            # a header may say that its name has gigabytes
            self._file.longest_read = self._limits.directory_bytes
            found = listing.listed(self._entries(), self.open, below)
        except Refused:
            self.close()
            raise
        self.members, self.nested = found.members, found.nested

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, member: Member) -> bytes:
        """The bytes of a member; raises Refused where the archive is shorter than they."""
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The member, to be read in pieces; a read raises Refused where the archive ends within it."""
        file = PositionedFile(self._extent)
        file.seek(member.place)
        return member_file(file, member.size)

    def extent(self, member: Member) -> Extent:
        """Where a member lies."""
        return Extent(self._extent.path, self._extent.start + member.place, member.size)

    def _entries(self) -> Iterator[Entry]:
        linked: dict[str, Entry] = {}
        try:
            with tarfile.open(fileobj=self._file, mode="r:", encoding="utf-8") as archive:
                for count, info in enumerate(archive):
                    if count > 2 * self._limits.files:
                        raise bomb(f"It holds more than {2 * self._limits.files} files and folders.")
                    archive.members = []  # type: ignore[attr-defined]  # else it keeps them all
                    if not info.isdir():
                        entry = linked.get(info.linkname) if info.islnk() else None
                        entry = self._entry(info) if entry is None else replace(entry, name=_name(info))
                        linked[info.name] = entry
                        yield entry
                self._check_end(archive.offset)
        except _BROKEN as error:
            raise damaged(error) from error

    def _entry(self, info: tarfile.TarInfo) -> Entry:
        plain = info.isreg() and not info.issparse()
        if plain and (info.size < 0 or info.offset_data + info.size > self._file.bytes):
            raise damaged(f"it ends within {info.name[:100]!r}")
        return Entry(
            name=_name(info),
            size=info.size if plain else 0,
            place=info.offset_data,
            objection=None if plain else _objection(info),
        )

    def _check_end(self, place: int) -> None:
        """Raise Refused unless the list of files ends in its mark, a block of zeros: tarfile takes a header
        that is broken or cut off for the end, too."""
        mark = self._file.read_at(place, tarfile.BLOCKSIZE)
        if not mark:
            raise Refused(
                "archive_damaged",
                "The tar has no mark of its end behind its last file: more files may have been cut off.",
                "Make the archive again and send it whole. To one that is known to be whole the mark can be "
                "added: 1,024 bytes of zeros, as by `truncate -s +1024`.",
            )
        if mark != bytes(tarfile.BLOCKSIZE):
            raise damaged(f"there is neither a file nor the mark of its end at byte {place}")


def _name(info: tarfile.TarInfo) -> str | bytes:
    """The name, as bytes where nothing says how they are encoded; extended headers are UTF-8 (POSIX pax)."""
    marked = "path" in info.pax_headers and info.name.isprintable()  # what is none is no printable text
    return info.name if marked else raw_name(info.name)


def _objection(info: tarfile.TarInfo) -> Refused:
    if info.issparse():
        return Refused(
            "archive_compression", "The file is stored as a sparse one.", "Make the tar without --sparse."
        )
    link = info.linkname.encode("utf-8", "surrogateescape") if info.issym() else b""
    return text_objection(link) or link_objection()


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


def unpack(file: Readable, kind: str, target: Path, budget: Budget) -> None:
    """Write what a file compressed as `kind` holds to `target`.

    Raises Refused where it is damaged, holds no tar, or unpacks to more than the budget allows.
    """
    start = b""
    with target.open("xb") as plain:
        for piece in _pieces(file, kind):
            if len(start) < tarfile.BLOCKSIZE:
                start = (start + piece)[: tarfile.BLOCKSIZE]
                if len(start) == tarfile.BLOCKSIZE and not is_tar(start):
                    raise _no_tar(kind)
            budget.write(len(piece))
            plain.write(piece)
    if len(start) < tarfile.BLOCKSIZE:
        raise _no_tar(kind)


def _no_tar(kind: str) -> Refused:
    return Refused("archive_not_tar", f"This {kind} file holds no tar.", "Send a zip, or a tar of the files.")


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


def _pieces(file: Readable, kind: str) -> Iterator[bytes]:
    """The unpacked bytes, never more than _PIECE at a time; streams may follow one another."""
    unpacker, begun = _unpacker(kind), False
    data = file.read(_PIECE) or b""
    try:
        while True:
            piece = unpacker.decompress(data, _PIECE)
            begun = begun or bool(data)
            if piece:
                yield piece
            if unpacker.eof:
                data = unpacker.unused_data.lstrip(b"\0") or (file.read(_PIECE) or b"").lstrip(b"\0")
                unpacker, begun = _unpacker(kind), False
            else:
                data = (file.read(_PIECE) or b"") if unpacker.needs_input else b""
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
