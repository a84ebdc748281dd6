"""A file of an upload as it is read piece by piece: as long as the upload declares it, or refused."""

import io
from typing import BinaryIO, Protocol

from workers.ingest.archive import file_damaged

_BUFFER = 64 << 10
_PIECE = 1 << 20
"""Bytes asked for at once: what unpacks a file holds as many a second time."""


class Readable(Protocol):
    """What the bytes come from, unbuffered or not."""

    def read(self, size: int, /) -> bytes | None: ...
    def close(self) -> None: ...


def member_file(file: Readable, size: int, broken: tuple[type[Exception], ...] = ()) -> BinaryIO:
    """The first `size` bytes of an open file, which is closed with it.

    A read raises Refused where the file ends before them, or what gives the bytes raises one of `broken`.
    """
    return io.BufferedReader(_Bounded(file, size, broken), _BUFFER)


class _Bounded(io.RawIOBase):
    def __init__(self, file: Readable, size: int, broken: tuple[type[Exception], ...]) -> None:
        self._file = file
        self._size = size
        self._left = size
        self._broken = broken

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left, _PIECE)
        if not wanted:
            return 0
        try:
            data = self._file.read(wanted)
        except self._broken as error:
            raise file_damaged(f"The file cannot be unpacked: {error}.") from error
        if not data:
            raise file_damaged(f"{self._size} bytes of this file are promised; the last {self._left} miss.")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
