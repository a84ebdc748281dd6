"""From what archives list to the files worth looking at; what is wrong with files is told once for each kind.

One listing serves all archives of an upload: bounds hold for them together.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from workers.ingest.archive import (
    NOT_OPENED,
    OPENED,
    ArchiveLimits,
    Budget,
    Entry,
    Member,
    normal,
    size_objection,
)
from workers.ingest.layout import PICTURES
from workers.ingest.name_encodings import decode_names
from workers.ingest.problems import ProblemLog, Refused

Severity = Literal["error", "warning"]

_LEFT_OUT = frozenset(("archive_link", "archive_nested", "names_repeated"))
"""Codes of what no set is refused for."""

_ASIDE = frozenset(
    (
        ".md", ".rst", ".pdf", ".doc", ".docx", ".ppt", ".pptx", ".htm", ".html", ".rtf", ".py", ".ipynb",
        ".sh", ".bat", ".exe", ".log", ".url", ".lnk",
    )
)  # fmt: skip
"""Endings of files that are no part of a set, whatever is wrong with them."""

_TEXTS = frozenset((".json", ".xml", ".csv", ".txt", ".yaml", ".yml"))
"""Endings of what annotations, names of classes and lists of images are in."""

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Listed:
    """The files of an archive, by path, and the archives in it."""

    members: list[Member]
    nested: list[Member]


class Listing:
    """Lists the archives of one upload; `report` tells what is wrong with their files."""

    def __init__(self, limits: ArchiveLimits, names_encoding: str | None, log: ProblemLog) -> None:
        """`names_encoding` is that of names which nothing marks, None to find it out."""
        self.limits = limits
        self.budget = Budget(limits)
        self._names_encoding = names_encoding
        self._log = log
        self._objections: dict[tuple[Severity, str, str, str], list[str]] = {}
        self._guessed = False

    def listed(self, entries: Iterable[Entry], below: str = "") -> Listed:
        """The files of an archive whose paths are put below the folder `below`.

        Raises Refused where the archive as a whole is empty or too large.
        """
        kept = []
        for entry in entries:
            self.budget.count(entry.name, 0 if _is_nested(entry.name) else entry.size)
            kept.append(entry)
        if not kept:
            raise Refused("archive_empty", "It holds no files.", "Send an archive of images and masks.")
        latest = {entry.name: place for place, entry in enumerate(kept)}
        found = Listed([], [])
        for place, (entry, name) in enumerate(zip(kept, self._decoded(kept), strict=True)):
            self._list(entry, f"{below}{name}", name, latest[entry.name] == place, found)
        found.members.sort(key=lambda member: member.path)
        found.nested.sort(key=lambda member: member.path)
        return found

    def leave_out(self, path: str, objection: Refused, severity: Severity | None = None) -> None:
        """Note what speaks against a file that is not read; how heavy that is follows from what it is."""
        weight = severity or _weight(path, objection)
        key = (weight, objection.problem_code, objection.message, objection.remedy)
        self._objections.setdefault(key, []).append(path)

    def report(self, *, nothing_left: bool) -> None:
        """Log what was noted; as errors where no file is left."""
        for (weight, code, message, remedy), paths in self._objections.items():
            tell = self._log.error if weight == "error" or nothing_left else self._log.warning
            more = f" The same holds for {len(paths) - 1} more file(s)." if len(paths) > 1 else ""
            tell(code, paths[0], message + more, remedy)
        self._objections.clear()

    def _decoded(self, entries: Sequence[Entry]) -> list[str]:
        decoded = decode_names([entry.name for entry in entries], self._names_encoding)
        if decoded.guessed is not None and not self._guessed:
            self._guessed = True
            self._log.warning(
                "names_encoding_guessed",
                decoded.example,
                "File names are not marked with their encoding and are no UTF-8; they are read as "
                f"{decoded.guessed}.",
                "Nothing, if this name reads right; else send the option `names_encoding` (such as gbk, "
                "shift_jis, euc_kr, cp1251).",
            )
        return [normal(name) for name in decoded.names]

    def _list(self, entry: Entry, path: str, name: str, is_latest: bool, found: Listed) -> None:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts or name.startswith("/") or _DRIVE.match(name):
            self.leave_out(path, _points_outside())
        elif name.endswith("/") or _is_junk(parts):
            return
        elif not is_latest:
            self.leave_out(path, _repeated())
        else:
            self._take(entry, "/".join(parts), found)

    def _take(self, entry: Entry, path: str, found: Listed) -> None:
        nested = entry.objection is None and _is_nested(path)
        objection = entry.objection or _kind_objection(path)
        if objection is None and not nested:
            objection = size_objection(entry.size, entry.packed, self.limits)
        if objection is not None:
            self.leave_out(path, objection)
        else:
            member = Member(path=path, size=entry.size, place=entry.place)
            (found.nested if nested else found.members).append(member)


def folder_of(nested: Member) -> str:
    """The folder that the files of an archive within the upload are put into: its path without ending."""
    ending = max((end for end in OPENED if nested.path.lower().endswith(end)), key=len, default="")
    return nested.path[: len(nested.path) - len(ending)]


def nested_objection() -> Refused:
    """What speaks against an archive that is not opened."""
    return Refused(
        "archive_nested",
        "An archive inside the archive is not looked into, and is left out.",
        "Nothing, if it is not needed; else unpack it and put its files in the upload.",
    )


def _is_nested(name: str | bytes) -> bool:
    """Whether a file is named as an archive that is opened."""
    return (name if isinstance(name, bytes) else name.encode("utf-8", "replace")).lower().endswith(_OPENED)


_OPENED = tuple(ending.encode() for ending in OPENED)


def _kind_objection(path: str) -> Refused | None:
    return nested_objection() if path.lower().endswith(NOT_OPENED) else None


def _weight(path: str, objection: Refused) -> Severity:
    """How much what speaks against a file keeps the set from training."""
    if objection.problem_code in _LEFT_OUT:
        return "warning"
    ending = posixpath.splitext(path)[1].lower()
    if objection.problem_code == "lfs_pointer":
        return "error" if ending in PICTURES or ending in _TEXTS or _is_nested(path) else "warning"
    if objection.problem_code in ("archive_encrypted", "archive_compression"):
        return "warning" if ending in _ASIDE else "error"
    return "error"


def _is_junk(parts: list[str]) -> bool:
    """Whether the name is empty, an operating system put the file there, or it is hidden."""
    if not parts or any(part.startswith(".") for part in parts):
        return True
    return "__MACOSX" in parts or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _points_outside() -> Refused:
    return Refused(
        "archive_traversal",
        "The name is absolute or points outside the archive.",
        "Make the archive anew from inside the data set's folder.",
    )


def _repeated() -> Refused:
    return Refused(
        "names_repeated",
        "The archive holds a file of this name again further on, and that one counts.",
        "Nothing, if the later is the newer one; else make the archive anew.",
    )
