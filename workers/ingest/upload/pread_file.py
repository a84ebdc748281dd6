"""A file that is read by position, so that processes forked from the one that opened it do not disturb it."""

import errno
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.ingest.archive import bomb


@dataclass(frozen=True)
class Extent:
    """Where an archive lies: in a file, from byte `start` on, `size` bytes or, with None, all there are."""

    path: Path
    start: int = 0
    size: int | None = None


class PositionedFile(io.RawIOBase):
    """Part of a file open for reading, the whole to who reads it; its position is this process's own.

    While `longest_read` is set, a read of more bytes raises Refused: archives are listed by libraries that
    read as much at once as the archive says.
    """

    def __init__(self, extent: Extent) -> None:
        self.longest_read: int | None = None
        self._descriptor = os.open(extent.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._start = extent.start
        self._at = 0
        there = max(os.fstat(self._descriptor).st_size - extent.start, 0)
        self.bytes = there if extent.size is None else min(extent.size, there)

    def read_at(self, place: int, size: int) -> bytes:
        """The bytes from `place` on, fewer where the file ends."""
        parts = []
        size = min(size, self.bytes - place)
        while size > 0 and (part := os.pread(self._descriptor, size, self._start + place)):
            parts.append(part)
            place += len(part)
            size -= len(part)
        return b"".join(parts)

    def read(self, size: int | None = -1, /) -> bytes:
        rest = max(self.bytes - self._at, 0)
        wanted = rest if size is None or size < 0 else min(size, rest)
        if self.longest_read is not None and wanted > self.longest_read:
            raise bomb(f"Its list of names is larger than {self.longest_read} bytes.")
        data = self.read_at(self._at, wanted)
        self._at += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.bytes}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
