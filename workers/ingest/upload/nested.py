"""Archives within an upload: their files are read as if they lay in a folder of the archive's name.

One level is opened. What lies in the upload as it is, is read in place; what is packed there is first
unpacked to a file with a name of our own in the data set's folder, for as long as the upload is read.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol

from workers.ingest.archive import MIB, Member, damaged
from workers.ingest.items import Files
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.upload.listing import Listing, folder_of, nested_objection
from workers.ingest.upload.pointers import pointer_objection, text_objection
from workers.ingest.upload.pread_file import Extent, PositionedFile
from workers.ingest.upload.tar_source import TarSource, compression, is_tar, unpack
from workers.ingest.upload.zip_source import ZipSource

UNPACKED = ".unpacked-"
"""How the names of files begin that are unpacked into the data set's folder while an upload is read."""

MAX_OPENED = 200
"""Archives opened within an upload: each holds a file open."""

_OTHERS = {b"7z\xbc\xaf": "7z", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "zstd"}
_PIECE = 1 * MIB


class ArchiveSource(Files, Protocol):
    """The files of one archive or folder, and the archives in it, by path."""

    @property
    def nested(self) -> Sequence[Member]:
        """The archives in it."""

    def extent(self, member: Member) -> Extent | None:
        """Where a member lies as it is; None where it is packed. Raises Refused."""

    def close(self) -> None:
        """Close what is open."""


class Opener:
    """Opens archives of any kind that is read; `stack` closes them, and removes what was unpacked."""

    def __init__(self, folder: Path, listing: Listing, stack: ExitStack) -> None:
        self._folder = folder
        self._listing = listing
        self._stack = stack

    def open(self, extent: Extent, below: str = "") -> ArchiveSource:
        """The archive that lies there, its paths put below the folder `below`. Raises Refused, OSError."""
        with PositionedFile(extent) as file:
            start = file.read_at(0, 512)
            if kind := compression(start):
                extent = Extent(
                    self._unpacked(lambda target: unpack(file, kind, target, self._listing.budget))
                )
        if kind or is_tar(start):
            return self._closed_at_end(TarSource(extent, self._listing, below))
        for magic, other in _OTHERS.items():
            if start.startswith(magic):
                raise Refused(
                    "archive_kind",
                    f"This is a {other} file; zip, tar, tar.gz, tar.bz2 and tar.xz are read.",
                    "Send the files in one of these.",
                )
        if not start:
            raise damaged("it is empty")
        if (pointer := text_objection(start)) is not None:
            raise pointer
        return self._closed_at_end(ZipSource(extent, self._listing, below))

    def open_within(self, outer: ArchiveSource, nested: Member) -> ArchiveSource:
        """An archive that lies in another one. Raises Refused, OSError."""
        extent = outer.extent(nested)
        if extent is None:
            self._listing.budget.write(nested.size)
            with outer.open(nested) as file:
                extent = Extent(self._unpacked(lambda target: _copy(file, target)))
        return self.open(extent, folder_of(nested) + "/")

    def _unpacked(self, write: Callable[[Path], None]) -> Path:
        path = self._folder / f"{UNPACKED}{secrets.token_hex(4)}"
        self._stack.callback(path.unlink, missing_ok=True)
        write(path)
        return path

    def _closed_at_end(self, source: ArchiveSource) -> ArchiveSource:
        self._stack.callback(source.close)
        return source


class JoinedSource:
    """Several sources as one; `members` are by path."""

    def __init__(self, sources: Sequence[Files], kept: Sequence[Sequence[Member]], scratch: Path) -> None:
        """`kept` are the members of each source that count."""
        self.scratch = scratch
        self._sources = sources
        found = (
            Member(path=member.path, size=member.size, place=member.place * len(sources) + index)
            for index, members in enumerate(kept)
            for member in members
        )
        self.members: Sequence[Member] = sorted(found, key=lambda member: member.path)

    def read(self, member: Member) -> bytes:
        """The bytes of a file; raises Refused."""
        source, own = self._own(member)
        return source.read(own)

    def open(self, member: Member) -> BinaryIO:
        """The file, to be read in pieces; this and its reads raise Refused."""
        source, own = self._own(member)
        return source.open(own)

    def _own(self, member: Member) -> tuple[Files, Member]:
        if len(self._sources) == 1:
            return self._sources[0], member
        place, index = divmod(member.place, len(self._sources))
        return self._sources[index], replace(member, place=place)


def open_nested(
    outer: ArchiveSource, opener: Opener, listing: Listing, log: ProblemLog
) -> list[ArchiveSource]:
    """The archives within another that have files of their own; what is wrong with one is noted.

    Raises Refused where they take too much, OSError where the storage fails.
    """
    if len(outer.nested) > MAX_OPENED:
        raise Refused(
            "archive_nested",
            f"The upload holds {len(outer.nested)} archives; at most {MAX_OPENED} are opened.",
            "Unpack them and send their files in one archive.",
        )
    sizes = {member.path: member.size for member in outer.members} if outer.nested else {}
    opened: list[ArchiveSource] = []
    first: Member | None = None
    for nested in outer.nested:
        source = _opened(outer, nested, opener, listing)
        if source is None or not _adds_files(source, nested, sizes, listing):
            continue
        sizes |= {member.path: member.size for member in source.members}
        for deeper in source.nested:
            listing.leave_out(deeper.path, nested_objection())
        opened.append(source)
        first = first or nested
    if first is not None:
        log.warning(
            "archive_opened",
            first.path,
            f"{len(opened)} archive(s) within the upload were opened, such as this one, whose files are "
            f"read as those of a folder {folder_of(first)}/.",
            "Nothing, if they belong to the set; else take them out.",
        )
    return opened


def _opened(outer: ArchiveSource, nested: Member, opener: Opener, listing: Listing) -> ArchiveSource | None:
    if (pointer := pointer_objection(outer, nested)) is not None:
        listing.leave_out(nested.path, pointer)
        return None
    try:
        return opener.open_within(outer, nested)
    except Refused as refusal:
        if refusal.problem_code == "archive_bomb":
            raise
        listing.leave_out(nested.path, refusal, "warning")
        return None


def _adds_files(source: Files, nested: Member, sizes: dict[str, int], listing: Listing) -> bool:
    """Whether an archive has files that the upload has not, as far as paths and sizes tell."""
    if source.members and all(_is_known(member, nested, sizes) for member in source.members):
        listing.leave_out(nested.path, _unpacked_beside())
        return False
    clash = next((member.path for member in source.members if member.path in sizes), None)
    if clash is not None:
        listing.leave_out(clash, _clash(), "error")
    return True


def _is_known(member: Member, nested: Member, sizes: dict[str, int]) -> bool:
    """Whether the file lies unpacked beside the archive, in a folder of its name, or at the top."""
    inner = member.path[len(folder_of(nested)) + 1 :]
    beside = f"{nested.path.rpartition('/')[0]}/{inner}".lstrip("/")
    return any(sizes.get(path) == member.size for path in (member.path, beside, inner))


def _unpacked_beside() -> Refused:
    return Refused(
        "archive_nested",
        "All files of this archive lie in the upload unpacked, too: it is left out.",
        "Nothing, if they are the same files; else take one of them out.",
    )


def _clash() -> Refused:
    return Refused(
        "archive_nested",
        "A file of this path lies in the upload and in an archive within it, or in two of these.",
        "Take one of them out, or rename the archive.",
    )


def _copy(file: BinaryIO, target: Path) -> None:
    with target.open("xb") as copy:
        while piece := file.read(_PIECE):
            copy.write(piece)
