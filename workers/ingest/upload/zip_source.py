"""The files of a zip, read where they lie in it."""

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from workers.ingest.archive import Entry, Member, damaged, file_damaged, link_objection
from workers.ingest.problems import Refused
from workers.ingest.upload.listing import Listing
from workers.ingest.upload.member_file import member_file
from workers.ingest.upload.pointers import LONGEST, text_objection
from workers.ingest.upload.pread_file import Extent, PositionedFile

_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_DOS_FOLDER = 0x10
_UNICODE_PATH = 0x7075
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_START = b"PK\x03\x04"
_PLAIN_FLAGS = _UTF8_NAME | 0x8 | 0x6
"""Flags that change nothing but how sizes, names and the level of packing are told."""
_READ_WHOLE = 4 << 20
"""Packed bytes of a member that are read at once; of a larger one, what is packed would take memory, too."""
_BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError, OverflowError)


class ZipSource:
    """An open zip. `members` are the files worth looking at, by path, `nested` the archives in it."""

    def __init__(self, extent: Extent, listing: Listing, below: str = "") -> None:
        """Open and list, with paths below the folder `below`. Raises Refused where it is no readable zip,
        OSError where the storage fails."""
        self._extent = extent
        self._file = PositionedFile(extent)
        try:
            self._file.longest_read = listing.limits.directory_bytes
            self._infos = self._directory()
            self._file.longest_read = None
            found = listing.listed(self._entries(), self.open, below)
        except Refused:
            self.close()
            raise
        self.members, self.nested = found.members, found.nested

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, member: Member) -> bytes:
        """The bytes of a member, never more than it declares; raises Refused where it is damaged."""
        data = self._read_whole(member)
        if data is not None:
            return data
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The member, to be read in pieces; this and its reads raise Refused where it is damaged."""
        try:
            file = self._zip.open(self._infos[member.place])
        except _BROKEN as error:
            raise file_damaged(f"The file cannot be unpacked: {error}.") from error
        return member_file(file, member.size, _BROKEN)

    def extent(self, member: Member) -> Extent | None:
        """Where a member lies as it is; None where it is packed. Raises Refused where it is damaged."""
        info = self._infos[member.place]
        if info.compress_type != ZIP_STORED:
            return None
        header = self._file.read_at(info.header_offset, _LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_START):
            raise file_damaged("The archive has no file at the place where it should lie.")
        _, name, extra = _LOCAL_HEADER.unpack(header)
        start = info.header_offset + _LOCAL_HEADER.size + name + extra
        return Extent(self._extent.path, self._extent.start + start, info.compress_size)

    def _read_whole(self, member: Member) -> bytes | None:
        """The bytes of a small member, in two reads where zipfile takes a dozen steps; None where anything is
        not as it should be, which zipfile tells."""
        info = self._infos[member.place]
        if info.compress_size > _READ_WHOLE or info.flag_bits & ~_PLAIN_FLAGS:
            return None
        header = self._file.read_at(info.header_offset, _LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_START):
            return None
        _, name, extra = _LOCAL_HEADER.unpack(header)
        start = info.header_offset + _LOCAL_HEADER.size
        stored = self._file.read_at(start, name + extra + info.compress_size)
        data = _unpacked(memoryview(stored)[name + extra :], info.compress_type, member.size)
        named = stored[:name] == info.orig_filename.encode(
            "utf-8" if info.flag_bits & _UTF8_NAME else "cp437"
        )
        return data if named and zlib.crc32(data) == info.CRC and len(data) == member.size else None

    def _directory(self) -> list[ZipInfo]:
        try:
            self._zip = ZipFile(self._file)
        except UnicodeDecodeError as error:
            raise Refused(
                "names_encoding",
                f"The zip marks the name of a file as UTF-8, and it is none: {error.object[:80]!r}.",
                "Give the file a plain name and make the zip again, or send a tar, whose names have no mark.",
            ) from error
        except _BROKEN as error:
            raise damaged(error) from error
        infos = self._zip.infolist()
        # what is left of a zip that is cut off may end in the directory of a smaller zip that lies in it
        starts_with_file = self._file.read_at(0, len(_LOCAL_START)) == _LOCAL_START
        if starts_with_file and not any(info.header_offset == 0 for info in infos):
            raise damaged("its list of files does not name the first one")
        for info in infos:
            info.date_time = _NO_TIME  # one for all of them: of a large set it would fill memory
            info.comment = b""
        self._zip.NameToInfo.clear()  # files are asked for by place
        return infos

    def _entries(self) -> Iterator[Entry]:
        for place, info in enumerate(self._infos):
            name = _name(info)
            info.extra = b""
            if not _is_folder(info):
                yield Entry(
                    name=name,
                    size=info.file_size,
                    place=place,
                    packed=info.compress_size,
                    objection=self._objection(info),
                )

    def _objection(self, info: ZipInfo) -> Refused | None:
        objection = _objection(info)
        if objection is None or objection.problem_code != "archive_link" or info.file_size > LONGEST:
            return objection
        try:
            with self._zip.open(info) as file:
                return text_objection(file.read(LONGEST)) or objection
        except _BROKEN:
            return objection


def _unpacked(packed: memoryview, method: int, size: int) -> bytes:
    """What a member unpacks to, at most a byte more than its `size`; empty where it is broken."""
    if method == ZIP_STORED:
        return bytes(packed)
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
    except zlib.error:
        return b""


def _name(info: ZipInfo) -> str | bytes:
    """The member's name, as bytes where nothing says how they are encoded."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    raw = info.filename.encode("cp437")  # as zipfile read it
    return _unicode_path(info.extra, raw) or raw


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in the Unicode Path extra field, if it is still that of `raw` (APPNOTE 6.3.10, 4.6.9)."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + size]
        if kind == _UNICODE_PATH and field[:5] == b"\x01" + struct.pack("<L", zlib.crc32(raw)):
            try:
                return field[5:].decode()
            except UnicodeDecodeError:
                return None
        at += 4 + size
    return None


def _is_folder(info: ZipInfo) -> bool:
    """Whether an entry without bytes says that it is a folder; others say so by a slash at the end."""
    by_attributes = stat.S_IFMT(info.external_attr >> 16) == stat.S_IFDIR or info.external_attr & _DOS_FOLDER
    return bool(by_attributes) and info.file_size == 0


def _objection(info: ZipInfo) -> Refused | None:
    """What kind of member speaks against reading it."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return link_objection()
    if info.flag_bits & _ENCRYPTED:
        return Refused("archive_encrypted", "The file is encrypted.", "Make the archive without a password.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        # zipfile bounds what it unpacks at once for deflate alone
        return Refused(
            "archive_compression",
            f"The compression method {info.compress_type} is not read; stored and deflate are.",
            "Make the archive with the usual zip method, deflate.",
        )
    if info.header_offset < 0:
        return file_damaged("The archive has no such place.")
    return None
