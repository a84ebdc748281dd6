"""Opens an upload, whatever it is: zip, tar, folder in storage, or archive with its annotation beside it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeAlias

from workers.ingest.archive import ArchiveLimits, Member, normal, size_objection
from workers.ingest.items import Files, Source
from workers.ingest.problems import ProblemLog
from workers.ingest.upload.folder_source import FolderSource
from workers.ingest.upload.listing import Listing
from workers.ingest.upload.member_file import member_file
from workers.ingest.upload.nested import ArchiveSource, JoinedSource, Opener, open_nested
from workers.ingest.upload.pointers import pointer_objection, pointers
from workers.ingest.upload.pread_file import Extent

_ANNOTATION = -1
Upload: TypeAlias = Path | Mapping[str, Path]
"""A file or a folder; or several of them, each by its name at the top of the set."""


@contextmanager
def open_source(
    upload: Upload,
    annotation: tuple[Path, str] | None,
    folder: Path,
    limits: ArchiveLimits,
    log: ProblemLog,
    names_encoding: str | None = None,
) -> Iterator[Source]:
    """The files of an upload, a file, a folder or several parts by the names that they have at its top, with
    the annotation as one of them under its own name.

    What has to be unpacked to be read, or put aside, lies in `folder` for as long as it is open.
    `names_encoding` is that of file names which nothing marks, None to find it out. Raises Refused, and
    OSError where the storage fails; what is wrong with single files goes to the log.
    """
    with ExitStack() as stack:
        listing = Listing(limits, names_encoding, log, annotation and annotation[0])
        opener = Opener(folder, listing, stack)
        source: Source | None = None
        try:
            outer = _opened(upload, opener, listing)
            source = _joined([outer, *open_nested(outer, opener, listing, log)], listing, folder)
        finally:
            listing.report(nothing_left=source is not None and not source.members)
        yield source if annotation is None else AnnotatedSource(source, *annotation, limits)


def _opened(upload: Upload, opener: Opener, listing: Listing) -> ArchiveSource:
    if not isinstance(upload, Path) or upload.is_dir():
        source = FolderSource({"": upload} if isinstance(upload, Path) else upload, listing)
        listing.budget.packed = listing.budget.listed_bytes
        return source
    listing.budget.packed = upload.stat().st_size
    return opener.open(Extent(upload))


def _joined(sources: Sequence[Files], listing: Listing, scratch: Path) -> Source:
    """The sources as one, without the pointers among their files, which are noted."""
    kept = []
    for source in sources:
        left_out = set()
        for member, objection in pointers(source):
            listing.leave_out(member.path, objection)
            left_out.add(member.place)
        kept.append([member for member in source.members if member.place not in left_out])
    return JoinedSource(sources, kept, scratch)


class AnnotatedSource:
    """A source and one more file at its top, which stands in for one of the same path."""

    def __init__(self, source: Source, annotation: Path, name: str, limits: ArchiveLimits) -> None:
        """`name` is the file's name on the client's side. Raises Refused where the file is too large, or a
        pointer to one that is kept elsewhere."""
        size = annotation.stat().st_size
        if objection := size_objection(size, None, limits):
            raise objection
        self.scratch = source.scratch
        self._source = source
        self._annotation = annotation
        member = Member(path=PurePosixPath(normal(name)).name or "annotation", size=size, place=_ANNOTATION)
        if (pointer := pointer_objection(self, member)) is not None:
            raise pointer
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
