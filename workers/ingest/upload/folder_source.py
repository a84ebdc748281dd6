"""The files of a folder in storage, which are read and never written."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from workers.ingest.archive import Entry, Member, file_damaged, link_objection, raw_name
from workers.ingest.problems import Refused
from workers.ingest.upload.listing import Listing
from workers.ingest.upload.member_file import member_file
from workers.ingest.upload.pointers import text_objection
from workers.ingest.upload.pread_file import Extent

_REFUSING = (errno.ENOENT, errno.EACCES, errno.ELOOP)  # what speaks against a file, not against the storage


class FolderSource:
    """A folder. `members` are the files worth looking at, by path, `nested` the archives in it; links are
    left out, not followed."""

    def __init__(self, folder: Path, listing: Listing) -> None:
        """List. Raises Refused where it is empty or too large, OSError of the storage."""
        self._folder = folder
        self._names: list[str] = []
        found = listing.listed(self._entries(""), self.open)
        self.members, self.nested = found.members, found.nested

    def close(self) -> None:
        """Nothing is held open."""

    def read(self, member: Member) -> bytes:
        """The bytes of a file; raises Refused where it has changed since it was listed."""
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The file, to be read in pieces; this and its reads raise Refused where it has changed."""
        name = self._names[member.place]
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in _REFUSING:
                raise
            raise file_damaged(f"The file cannot be opened: {error.strerror}.") from error
        file = os.fdopen(descriptor, "rb", buffering=0)  # the caller closes it
        if os.fstat(descriptor).st_size != member.size:
            file.close()
            raise file_damaged(f"The file had {member.size} bytes a moment ago and has changed.")
        return member_file(file, member.size)

    def extent(self, member: Member) -> Extent:
        """Where a file lies; raises Refused where it cannot be opened."""
        self.open(member).close()
        return Extent(self._folder / self._names[member.place])

    def _entries(self, below: str) -> Iterator[Entry]:
        with os.scandir(self._folder / below) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield from self._entries(f"{name}/")
                continue
            self._names.append(name)
            plain = entry.is_file(follow_symlinks=False)
            yield Entry(
                name=raw_name(name),
                size=entry.stat(follow_symlinks=False).st_size if plain else 0,
                place=len(self._names) - 1,
                objection=None if plain else _objection(entry),
            )


def _objection(entry: os.DirEntry[str]) -> Refused:
    link = os.fsencode(Path(entry.path).readlink()) if entry.is_symlink() else b""
    return text_objection(link) or link_objection()
