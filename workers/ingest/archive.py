"""What holds for every upload, none of which is trusted: names are checked and sizes bounded at first."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from workers.ingest.problems import ProblemLog, Refused

MIB = 1 << 20
GIB = 1 << 30

NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".7z", ".rar", ".zst")
"""Endings of archives, which are not looked into."""

_DRIVE = re.compile(r"[A-Za-z]:")


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

    `objection` is what its kind has against it.
    """

    name: str
    size: int
    place: int
    packed: int | None = None
    objection: Refused | None = None


def normal(name: str) -> str:
    """A name with forward slashes, as NFC. Bytes that are no UTF-8 are read as cp437, as old zips have it."""
    if any("\ud800" <= character <= "\udfff" for character in name):
        name = name.encode("utf-8", "surrogateescape").decode("cp437")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def usable(
    entries: Iterable[Entry], packed: int | None, limits: ArchiveLimits, log: ProblemLog
) -> list[Member]:
    """The files worth looking at, by path; what is wrong with one goes to the log.

    `packed` is the size of the whole upload in bytes, None where nothing is packed. Raises Refused where the
    upload as a whole is empty or too large.
    """
    listed = _bounded(entries, packed, limits)
    members = []
    for entry in listed:
        name = normal(entry.name)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts or name.startswith("/") or _DRIVE.match(name):
            log.error(
                "archive_traversal",
                name,
                "The name is absolute or points outside the archive.",
                "Make the archive anew from inside the data set's folder.",
            )
        elif not _is_junk(parts):
            objection = entry.objection or _nested(name) or size_objection(entry.size, entry.packed, limits)
            if objection is None:
                members.append(Member(path="/".join(parts), size=entry.size, place=entry.place))
            else:
                log.refused(name, objection)
    return sorted(members, key=lambda member: member.path)


def size_objection(size: int, packed: int | None, limits: ArchiveLimits) -> Refused | None:
    """What speaks against one file of `size` bytes, of which the archive holds `packed`."""
    if size > limits.file_bytes:
        message = f"The file unpacks to {size} bytes; at most {limits.file_bytes} are read."
    elif packed is not None and size > limits.ratio_floor and size > limits.ratio * packed:
        message = f"{packed} bytes unpack to {size}, more than {limits.ratio} times as many."
    else:
        return None
    return Refused("archive_bomb", message, "Send it in a compressed image format, or leave it out.")


def check_total(total: int, packed: int | None, limits: ArchiveLimits) -> None:
    """Raise Refused where `packed` bytes unpack to a `total` beyond the limits."""
    if total > limits.total_bytes:
        raise bomb(f"It unpacks to {total} bytes or more; at most {limits.total_bytes} are read.")
    if packed is not None and total > limits.ratio_floor and total > limits.ratio * packed:
        raise bomb(f"{packed} bytes unpack to {total} or more, over {limits.ratio} times as many.")


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
        f"The upload is no zip or tar archive, or it is cut off: {error}.",
        "Make the archive again, check that it opens, and send it whole.",
    )


def file_damaged(what: str) -> Refused:
    """The refusal of one file of an archive."""
    return Refused("file_damaged", what, "Make the archive again from the original files.")


def link_objection() -> Refused:
    """The refusal of a link or a device."""
    return Refused(
        "archive_link", "This is a link or a device, not a file.", "Put the file itself in its place."
    )


def _bounded(entries: Iterable[Entry], packed: int | None, limits: ArchiveLimits) -> list[Entry]:
    listed = []
    total = 0
    for entry in entries:
        listed.append(entry)
        if len(listed) > limits.files:
            raise bomb(f"It holds more than {limits.files} files.")
        total += entry.size
        check_total(total, packed, limits)
    if not listed:
        raise Refused("archive_empty", "The upload holds no files.", "Send an archive of images and masks.")
    return listed


def _is_junk(parts: list[str]) -> bool:
    """Whether the name is empty, an operating system put the file there, or it is hidden."""
    if not parts or any(part.startswith(".") for part in parts):
        return True
    return parts[0] == "__MACOSX" or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _nested(name: str) -> Refused | None:
    if not name.lower().endswith(NESTED):
        return None
    return Refused(
        "archive_nested",
        "An archive inside the archive is not looked into.",
        "Unpack it and put its files in the archive, or leave it out.",
    )
