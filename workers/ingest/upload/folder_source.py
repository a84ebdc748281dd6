"""The files of a folder in storage, which are read and never written."""

import errno
import os
from collections.abc import Iterator, Mapping
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
    """A folder, or several. `members` are the files worth looking at, by path, `nested` the archives in it;
    links are left out, not followed."""

    def __init__(self, parts: Mapping[str, Path], listing: Listing) -> None:
        """List folders, each below its name or, where that is empty, at the top, and files under theirs.

        Raises Refused where there is nothing or too much, OSError of the storage.
        """
        self._paths: list[Path] = []
        found = listing.listed(self._all(parts), self.open)
        self.members, self.nested = found.members, found.nested

    def close(self) -> None:
        """Nothing is held open."""

    def read(self, member: Member) -> bytes:
        """The bytes of a file; raises Refused where it has changed since it was listed."""
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The file, to be read in pieces; this and its reads raise Refused where it has changed."""
        try:
            descriptor = os.open(self._paths[member.place], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
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
        return Extent(self._paths[member.place])

    def _all(self, parts: Mapping[str, Path]) -> Iterator[Entry]:
        for name, path in parts.items():
            if path.is_dir():
                yield from self._entries(path, f"{name}/" if name else "")
            else:
                yield self._entry(path, name, path.stat().st_size)

    def _entries(self, folder: Path, below: str) -> Iterator[Entry]:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield from self._entries(Path(entry.path), f"{name}/")
                continue
            plain = entry.is_file(follow_symlinks=False)
            size = entry.stat(follow_symlinks=False).st_size if plain else 0
            yield self._entry(Path(entry.path), name, size, None if plain else _objection(entry))

    def _entry(self, path: Path, name: str, size: int, objection: Refused | None = None) -> Entry:
        self._paths.append(path)
        return Entry(name=raw_name(name), size=size, place=len(self._paths) - 1, objection=objection)


def _objection(entry: os.DirEntry[str]) -> Refused:
    link = os.fsencode(Path(entry.path).readlink()) if entry.is_symlink() else b""
    return text_objection(link) or link_objection()
