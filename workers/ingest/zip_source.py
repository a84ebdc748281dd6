"""The files of a zip, read where they lie in it."""

import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from workers.ingest.archive import (
    ArchiveLimits,
    Entry,
    Member,
    damaged,
    file_damaged,
    link_objection,
    usable,
)
from workers.ingest.member_file import member_file
from workers.ingest.positioned import PositionedFile
from workers.ingest.problems import ProblemLog, Refused

_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError, OverflowError)


class ZipSource:
    """An open zip. `members` are the files worth looking at, by path."""

    def __init__(self, path: Path, limits: ArchiveLimits, log: ProblemLog) -> None:
        """Open and list; what is wrong goes to the log. Raises Refused where it is no readable zip, OSError
        where the storage fails."""
        self._file = PositionedFile(path)
        try:
            self._file.longest_read = limits.directory_bytes
            self._infos = self._listed()
            self._file.longest_read = None
            self.members = usable(self._entries(), self._file.bytes, limits, log)
        except Refused:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, member: Member) -> bytes:
        """The bytes of a member, never more than it declares; raises Refused where it is damaged."""
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The member, to be read in pieces; this and its reads raise Refused where it is damaged."""
        try:
            file = self._zip.open(self._infos[member.place])
        except _BROKEN as error:
            raise file_damaged(f"The file cannot be unpacked: {error}.") from error
        return member_file(file, member.size, _BROKEN)

    def _listed(self) -> list[ZipInfo]:
        try:
            self._zip = ZipFile(self._file)
        except _BROKEN as error:
            raise damaged(error) from error
        for info in self._zip.infolist():
            info.date_time = _NO_TIME  # one for all of them: of a large set it would fill memory
        self._zip.NameToInfo.clear()  # files are asked for by place
        return self._zip.infolist()

    def _entries(self) -> Iterator[Entry]:
        for place, info in enumerate(self._infos):
            name = _name(info)
            if not name.replace("\\", "/").endswith("/"):
                yield Entry(
                    name=name,
                    size=info.file_size,
                    place=place,
                    packed=info.compress_size,
                    objection=_objection(info),
                )


def _name(info: ZipInfo) -> str:
    """The member's name: UTF-8 where it is that, flagged or not, else cp437."""
    if not info.flag_bits & _UTF8_NAME:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass  # really cp437, as zipfile read it
    return info.filename


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
