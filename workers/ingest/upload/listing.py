"""From what archives list to the files worth looking at; what is wrong with files is told once for each kind.

One listing serves all archives of an upload: bounds hold for them together.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from workers.ingest.archive import (
    MIB,
    NOT_OPENED,
    OPENED,
    ArchiveLimits,
    Budget,
    Entry,
    Member,
    normal,
    size_objection,
)
from workers.ingest.paths.layout import PICTURES
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.upload.name_encodings import decode_names

Severity = Literal["error", "warning"]
Open = Callable[[Member], BinaryIO]
"""Opens a member of the archive that is listed; raises Refused."""

_LEFT_OUT = frozenset(("archive_link", "archive_nested", "names_repeated"))
"""Codes of what no set is refused for."""

_ASIDE = frozenset(
    (
        ".md", ".rst", ".pdf", ".doc", ".docx", ".ppt", ".pptx", ".htm", ".html", ".rtf", ".py", ".ipynb",
        ".sh", ".bat", ".exe", ".log", ".url", ".lnk",
    )
)  # fmt: skip
"""Endings of files that are no part of a set, whatever is wrong with them."""

_TEXTS = (".json", ".xml", ".csv", ".txt", ".yaml", ".yml")
"""Endings of what annotations, names of classes and lists of images are in."""

_MOST_TEXT = 2 * MIB
"""Bytes that are read of texts that may cite file names: so many of all within, and of the annotation."""
_TEXTS_READ = 20

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Listed:
    """The files of an archive, by path, and the archives in it."""

    members: list[Member]
    nested: list[Member]


class Listing:
    """Lists the archives of one upload; `report` tells what is wrong with their files."""

    def __init__(
        self,
        limits: ArchiveLimits,
        names_encoding: str | None,
        log: ProblemLog,
        annotation: Path | None = None,
    ) -> None:
        """`names_encoding` is that of names which nothing marks, None to find it out; the `annotation` beside
        the upload may cite them."""
        self.limits = limits
        self.budget = Budget(limits)
        self._names_encoding = names_encoding
        self._log = log
        self._annotation = annotation
        self._objections: dict[tuple[Severity, str, str, str], list[str]] = {}
        self._guessed: set[str] = set()

    def listed(self, entries: Iterable[Entry], open_member: Open, below: str = "") -> Listed:
        """The files of an archive, which `open_member` opens; their paths are put below the folder `below`.

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
        for place, (entry, name) in enumerate(zip(kept, self._decoded(kept, open_member), strict=True)):
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
            for path in paths:
                tell(code, path, message, remedy)
        self._objections.clear()

    def _decoded(self, entries: Sequence[Entry], open_member: Open) -> list[str]:
        names = [entry.name for entry in entries]
        decoded = decode_names(names, self._names_encoding, lambda: self._texts(entries, open_member))
        if decoded.guessed is not None and decoded.guessed not in self._guessed:
            self._guessed.add(decoded.guessed)
            self._log.warning(
                "names_encoding_guessed",
                decoded.example,
                "File names are not marked with their encoding and are no UTF-8; they are read as "
                f"{decoded.guessed}.",
                "Nothing, if this name reads right; else send the option `names_encoding` (such as gbk, "
                "shift_jis, euc_kr, cp1251).",
            )
        return [normal(name) for name in decoded.names]

    def _texts(self, entries: Sequence[Entry], open_member: Open) -> bytes:
        """The beginnings of texts that may cite file names: of the annotation, and of the largest within."""
        texts = []
        if self._annotation is not None:
            with self._annotation.open("rb") as file:
                texts.append(file.read(_MOST_TEXT))
        named = [entry for entry in entries if entry.objection is None and _is_text(entry.name)]
        for entry in sorted(named, key=lambda entry: -entry.size)[:_TEXTS_READ]:
            try:
                with open_member(Member(path="", size=entry.size, place=entry.place)) as file:
                    texts.append(file.read(_MOST_TEXT // _TEXTS_READ))
            except Refused:
                continue  # it is told when the file is read
        return b"\n".join(texts)

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
    return _lower(name).endswith(OPENED)


def _is_text(name: str | bytes) -> bool:
    return _lower(name).endswith(_TEXTS)


def _lower(name: str | bytes) -> str:
    """A name as far as its ending, which is ASCII, is concerned."""
    return (name if isinstance(name, str) else name.decode("latin-1")).lower()


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
