"""What holds for every archive, none of which is trusted: what it lists, and how much it may take."""

import unicodedata
from dataclasses import dataclass

from workers.ingest.problems import Refused

MIB = 1 << 20
GIB = 1 << 30

OPENED = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
"""Endings of archives that are opened where they lie within an upload."""

NOT_OPENED = (".7z", ".rar", ".zst")
"""Endings of archives that are not."""


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """Bounds on one upload; sizes are bytes, unpacked; `ratio` (unpacked to packed) counts above a floor.

    A plain mask in an uncompressed format packs a thousandfold quite honestly, hence the floor.
    `directory_bytes` bounds the list of names, which is held in memory.
    """

    files: int = 250_000
    total_bytes: int = 200 * GIB
    file_bytes: int = 256 * MIB
    ratio: int = 100
    ratio_floor: int = 64 * MIB
    directory_bytes: int = 128 * MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file of the upload; `path` is NFC, with forward slashes and no `.` parts, `size` bytes unpacked.

    `place` is the source's own: where it finds the file again.
    """

    path: str
    size: int
    place: int = 0

    @property
    def folder(self) -> str:
        """The name of the folder that the file lies in, casefolded; empty at the top."""
        return self.path.rpartition("/")[0].rpartition("/")[2].casefold()


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file as the upload lists it; `packed` bytes in the archive, None where that is not told for each.

    `name` is bytes where nothing says how they are encoded. `objection` is what its kind has against it.
    """

    name: str | bytes
    size: int
    place: int
    packed: int | None = None
    objection: Refused | None = None


class Budget:
    """What an upload may take, over all archives in it; each method raises Refused beyond the limits.

    `packed` is the upload's size in bytes, once it is known.
    """

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.packed: int | None = None
        self._files = 0
        self._listed_bytes = 0
        self._name_bytes = 0
        self._written = 0

    @property
    def listed_bytes(self) -> int:
        """Bytes of the files counted so far, unpacked."""
        return self._listed_bytes

    def count(self, name: str | bytes, size: int) -> None:
        """Count a file that is listed, of `size` bytes unpacked."""
        self._files += 1
        if self._files > self.limits.files:
            raise bomb(f"It holds more than {self.limits.files} files.")
        self._name_bytes += len(name)
        if self._name_bytes > self.limits.directory_bytes:
            raise bomb(f"Its names take more than {self.limits.directory_bytes} bytes.")
        self._listed_bytes += size
        self._check(self._listed_bytes)

    def write(self, size: int) -> None:
        """Count bytes that are unpacked to disk for as long as the upload is read."""
        self._written += size
        self._check(self._written)

    def _check(self, total: int) -> None:
        limits, packed = self.limits, self.packed
        if total > limits.total_bytes:
            raise bomb(f"It unpacks to {total} bytes or more; at most {limits.total_bytes} are read.")
        if packed is not None and total > limits.ratio_floor and total > limits.ratio * packed:
            raise bomb(f"{packed} bytes unpack to {total} or more, over {limits.ratio} times as many.")


def normal(name: str) -> str:
    """A name with forward slashes, as NFC."""
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def raw_name(name: str) -> str | bytes:
    """A name that was decoded as UTF-8, with surrogates where it is none: its bytes, unless it is ASCII."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape")


def size_objection(size: int, packed: int | None, limits: ArchiveLimits) -> Refused | None:
    """What speaks against one file of `size` bytes, of which the archive holds `packed`."""
    if size > limits.file_bytes:
        message = f"The file unpacks to {size} bytes; at most {limits.file_bytes} are read."
    elif packed is not None and size > limits.ratio_floor and size > limits.ratio * packed:
        message = f"{packed} bytes unpack to {size}, more than {limits.ratio} times as many."
    else:
        return None
    return Refused("archive_bomb", message, "Send it in a compressed image format, or leave it out.")


def bomb(detail: str) -> Refused:
    """The refusal of an upload that would take too much."""
    return Refused(
        "archive_bomb",
        f"The upload is refused: {detail}",
        "Send the set in smaller archives, as compressed images.",
    )


def damaged(error: Exception | str) -> Refused:
    """The refusal of what is no archive, or not a whole one."""
    return Refused(
        "archive_damaged",
        f"This is no zip or tar archive, or it is cut off: {error}.",
        "Make the archive again, check that it opens, and send it whole.",
    )


def file_damaged(what: str) -> Refused:
    """The refusal of one file of an archive."""
    return Refused("file_damaged", what, "Make the archive again from the original files.")


def link_objection() -> Refused:
    """What speaks against a link or a device."""
    return Refused(
        "archive_link",
        "This is a link or a device, not a file, and is left out.",
        "Nothing, if it is not needed; else put the file itself in its place.",
    )
