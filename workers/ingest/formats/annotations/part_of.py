"""A part of the files of an upload."""

from collections.abc import Sequence
from typing import BinaryIO

from workers.ingest.archive import Member
from workers.ingest.items import Source


class PartOf:
    """A source that has these of the members alone."""

    def __init__(self, source: Source, members: Sequence[Member]) -> None:
        self.members = members
        self.scratch = source.scratch
        self._source = source

    def read(self, member: Member) -> bytes:
        """See `Source.read`."""
        return self._source.read(member)

    def open(self, member: Member) -> BinaryIO:
        """See `Source.open`."""
        return self._source.open(member)
