"""Reads a zip that nobody vouches for: names are checked, sizes bounded, nothing is unpacked to disk."""

import os
import re
import stat
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from workers.ingest.problems import ProblemLog, Refused

MIB = 1 << 20
GIB = 1 << 30

NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
"""Endings of archives, which are not looked into."""

OTHER_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}

_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_LONGEST_COMMENT = 0xFFFF
_END_BYTES = 22
_WIDE_BYTES = 56 + 20  # the zip64 record and its locator, right before the end record
_IN_WIDE = 0xFFFFFFFF
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError, OverflowError)


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """Bounds on one archive; sizes are bytes, unpacked; `ratio` (unpacked to packed) counts above a floor.

    A plain mask in an uncompressed format packs a thousandfold quite honestly, hence the floor.
    `directory_bytes` bounds the list of names, which is held in memory.
    """

    files: int = 500_000
    total_bytes: int = 200 * GIB
    file_bytes: int = 256 * MIB
    ratio: int = 100
    ratio_floor: int = 64 * MIB
    directory_bytes: int = 128 * MIB


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in the archive; `path` is NFC, with forward slashes and no `.` parts, `size` bytes unpacked."""

    path: str
    size: int
    info: ZipInfo


class Archive:
    """An open archive. `members` are the files worth looking at, by path."""

    def __init__(self, path: Path, limits: ArchiveLimits, log: ProblemLog) -> None:
        """Open and list; what is wrong goes to the log. Raises Refused where it is no readable zip, OSError
        where the storage fails."""
        self._limits = limits
        self._log = log
        self._bytes = path.stat().st_size
        with path.open("rb") as file:
            _check_kind(file, limits)
        try:
            self._zip = ZipFile(path)
        except _BROKEN as error:
            raise _damaged(error) from error
        try:
            self.members = sorted(self._usable(), key=lambda member: member.path)
        except Refused:
            self._zip.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def read(self, member: Member) -> bytes:
        """The bytes of a member, never more than it declares; raises Refused where it is damaged."""
        try:
            with self._zip.open(member.info) as file:
                data = file.read(member.size + 1)
        except _BROKEN as error:
            raise Refused(
                "file_damaged",
                f"The file cannot be unpacked: {error}.",
                "Make the archive again from the original files.",
            ) from error
        if len(data) != member.size:
            raise Refused(
                "file_damaged",
                f"The archive promises {member.size} bytes of this file and holds {len(data)}.",
                "Make the archive again from the original files.",
            )
        return data

    def _usable(self) -> list[Member]:
        infos = [info for info in self._zip.infolist() if not _name(info).endswith("/")]
        if not infos:
            raise Refused("archive_empty", "The archive holds no files.", "Send a zip of images and masks.")
        self._check_totals(infos)
        members = []
        for info in infos:
            parts = [part for part in _name(info).split("/") if part not in ("", ".")]
            if _is_outside(info, parts):
                self._log.error(
                    "archive_traversal",
                    _name(info),
                    "The name is absolute or points outside the archive.",
                    "Make the archive anew from inside the data set's folder.",
                )
            elif not _is_junk(parts):
                objection = _objection(info) or _size_objection(info, self._limits)
                if objection is None:
                    members.append(Member(path="/".join(parts), size=info.file_size, info=info))
                else:
                    self._log.refused(_name(info), objection)
        return members

    def _check_totals(self, infos: list[ZipInfo]) -> None:
        total = sum(info.file_size for info in infos)
        limits = self._limits
        if len(infos) > limits.files:
            raise _bomb(f"It holds {len(infos)} files; at most {limits.files} are read.")
        if total > limits.total_bytes:
            raise _bomb(f"It unpacks to {total} bytes; at most {limits.total_bytes} are read.")
        if total > limits.ratio_floor and total > limits.ratio * self._bytes:
            raise _bomb(f"{self._bytes} bytes unpack to {total}, more than {limits.ratio} times as many.")


def _name(info: ZipInfo) -> str:
    """The member's name: UTF-8 where it is that, flagged or not, else cp437; forward slashes; NFC."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename  # really cp437, as zipfile read it
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_outside(info: ZipInfo, parts: list[str]) -> bool:
    name = _name(info)
    return ".." in parts or name.startswith("/") or _DRIVE.match(name) is not None


def _is_junk(parts: list[str]) -> bool:
    """Whether the name is empty, an operating system put the file there, or it is hidden."""
    if not parts or any(part.startswith(".") for part in parts):
        return True
    return parts[0] == "__MACOSX" or parts[-1].lower() == "thumbs.db"


def _objection(info: ZipInfo) -> Refused | None:
    """What kind of member speaks against reading it."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return Refused(
            "archive_link",
            "This is a link or a device, not a file.",
            "Put the file itself in the archive.",
        )
    if info.flag_bits & _ENCRYPTED:
        return Refused("archive_encrypted", "The file is encrypted.", "Make the archive without a password.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        # zipfile bounds what it unpacks at once for deflate alone
        return Refused(
            "archive_compression",
            f"The compression method {info.compress_type} is not read; stored and deflate are.",
            "Make the archive with the usual zip method, deflate.",
        )
    if info.filename.lower().endswith(NESTED):
        return Refused(
            "archive_nested",
            "An archive inside the archive is not looked into.",
            "Unpack it and put its files in the archive, or leave it out.",
        )
    if info.header_offset < 0:
        return Refused("file_damaged", "The archive has no such place.", "Make the archive again.")
    return None


def _size_objection(info: ZipInfo, limits: ArchiveLimits) -> Refused | None:
    if info.file_size > limits.file_bytes:
        message = f"The file unpacks to {info.file_size} bytes; at most {limits.file_bytes} are read."
    elif info.file_size > limits.ratio_floor and info.file_size > limits.ratio * info.compress_size:
        message = (
            f"{info.compress_size} bytes unpack to {info.file_size}, more than {limits.ratio} times as many."
        )
    else:
        return None
    return Refused("archive_bomb", message, "Send it in a compressed image format, or leave it out.")


def _check_kind(file: BinaryIO, limits: ArchiveLimits) -> None:
    """Raise Refused for another kind of file, and for a directory that would not fit in memory."""
    start = file.read(264)
    for magic, kind in OTHER_ARCHIVES.items():
        if start.startswith(magic):
            raise Refused("archive_not_zip", f"This is a {kind} file, not a zip.", "Send a zip archive.")
    if start[257:262] == b"ustar":
        raise Refused("archive_not_zip", "This is a tar file, not a zip.", "Send a zip archive.")
    if _directory_bytes(file) > limits.directory_bytes:
        raise _bomb(f"Its list of names is larger than {limits.directory_bytes} bytes.")


def _directory_bytes(file: BinaryIO) -> int:
    """Size of the central directory as the end records give it; the larger one where two disagree.

    Source: PKWARE APPNOTE 4.3.14 (zip64 record) and 4.3.16 (end record).
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _LONGEST_COMMENT - _WIDE_BYTES - _END_BYTES))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END_BYTES + 4)
    if at < 0:
        return 0  # no zip; zipfile says so
    size = int(struct.unpack_from("<L", tail, at + 12)[0])
    wide = at - _WIDE_BYTES
    if wide >= 0 and tail.startswith(b"PK\x06\x06", wide):
        wide_size = int(struct.unpack_from("<Q", tail, wide + 40)[0])
        return wide_size if size == _IN_WIDE else max(size, wide_size)
    return size


def _bomb(detail: str) -> Refused:
    return Refused(
        "archive_bomb",
        f"The archive is refused: {detail}",
        "Send the set in smaller archives, as compressed images.",
    )


def _damaged(error: Exception) -> Refused:
    return Refused(
        "archive_damaged",
        f"The upload is not a zip archive, or it is cut off: {error}.",
        "Make the zip again, check that it opens, and send it whole.",
    )
