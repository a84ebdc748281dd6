"""Opens an upload, whatever it is: zip, tar, folder in storage, or archive with its annotation beside it."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from workers.ingest.archive import ArchiveLimits, Member, damaged, normal, size_objection
from workers.ingest.folder_source import FolderSource
from workers.ingest.formats.base import Source
from workers.ingest.member_file import member_file
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.tar_source import TarSource, compression, is_tar, unpack
from workers.ingest.zip_source import ZipSource

UNPACKED = ".unpacked-"
"""How the names of tars begin that are unpacked into the data set's folder while it is read."""

OTHERS = {b"7z\xbc\xaf": "7z", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "zstd"}

_ANNOTATION = -1


@contextmanager
def open_source(
    upload: Path, annotation: tuple[Path, str] | None, folder: Path, limits: ArchiveLimits, log: ProblemLog
) -> Iterator[Source]:
    """The files of an upload, a file or a folder, with the annotation as one of them under its own name.

    A compressed tar is unpacked into `folder` for as long as it is open. Raises Refused, and OSError where
    the storage fails; what is wrong with single files goes to the log.
    """
    plain = folder / f"{UNPACKED}{secrets.token_hex(4)}.tar"
    try:
        source = _open(upload, plain, limits, log)
        try:
            yield source if annotation is None else AnnotatedSource(source, *annotation, limits)
        finally:
            source.close()
    finally:
        plain.unlink(missing_ok=True)


class AnnotatedSource:
    """A source and one more file at its top, which stands in for one of the same path."""

    def __init__(self, source: Source, annotation: Path, name: str, limits: ArchiveLimits) -> None:
        """`name` is the file's name on the client's side. Raises Refused where the file is too large."""
        size = annotation.stat().st_size
        if objection := size_objection(size, None, limits):
            raise objection
        self._source = source
        self._annotation = annotation
        member = Member(path=PurePosixPath(normal(name)).name or "annotation", size=size, place=_ANNOTATION)
        others = [other for other in source.members if other.path != member.path]
        self.members: Sequence[Member] = sorted([*others, member], key=lambda one: one.path)

    def read(self, member: Member) -> bytes:
        """The bytes of a file; raises Refused."""
        with self.open(member) as file:
            return file.read(member.size)

    def open(self, member: Member) -> BinaryIO:
        """The file, to be read in pieces; this and its reads raise Refused."""
        if member.place != _ANNOTATION:
            return self._source.open(member)
        return member_file(self._annotation.open("rb", buffering=0), member.size)


def _open(
    upload: Path, plain: Path, limits: ArchiveLimits, log: ProblemLog
) -> FolderSource | TarSource | ZipSource:
    if upload.is_dir():
        return FolderSource(upload, limits, log)
    with upload.open("rb") as file:
        start = file.read(512)
    if kind := compression(start):
        unpack(upload, kind, plain, limits)
        return TarSource(plain, upload.stat().st_size, limits, log)
    if is_tar(start):
        return TarSource(upload, None, limits, log)
    for magic, other in OTHERS.items():
        if start.startswith(magic):
            raise Refused(
                "archive_kind",
                f"This is a {other} file; zip, tar, tar.gz, tar.bz2 and tar.xz are read.",
                "Send the files in one of these.",
            )
    if not start:
        raise damaged("it is empty")
    return ZipSource(upload, limits, log)
