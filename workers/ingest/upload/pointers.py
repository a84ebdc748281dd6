"""Texts that stand for a file which is kept elsewhere: pointers of Git LFS and of git-annex.

Source: the Git LFS specification (docs/spec.md: a pointer is below 1,024 bytes and its first line is the
version), and git-annex's pointer files and links, which name a place below `annex/objects/`.
"""

import re
from collections.abc import Iterator

from workers.ingest.archive import Member
from workers.ingest.items import Files
from workers.ingest.problems import Refused

LONGEST = 1024
"""Bytes that a pointer, or the text of a link, may have."""

_SIZES = range(40, 400)
"""Bytes of nearly all; larger ones have extensions that few use."""

_LFS_SIZES = range(120, 150)
"""Bytes of those of Git LFS: they differ in the digits of the file's size."""

_SAMPLE = 100
"""Small files that are read of a set which may have none of them but labels and plain masks."""

_LFS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_ANNEX = re.compile(rb"(\.\.?/)*(\.git)?/?annex/objects/\S")


def pointers(source: Files) -> Iterator[tuple[Member, Refused]]:
    """The files that are pointers, with what speaks against them.

    Files of the size of Git LFS pointers are all read, other small ones only where some are pointers: whoever
    keeps files so keeps most so, and to read a hundred thousand labels twice takes seconds.
    """
    small = [member for member in source.members if member.size in _SIZES]
    sample = small[:: max(len(small) // _SAMPLE, 1)]
    some = any(pointer_objection(source, member) for member in sample)
    for member in small:
        if (some or member.size in _LFS_SIZES) and (objection := pointer_objection(source, member)):
            yield member, objection


def pointer_objection(source: Files, member: Member) -> Refused | None:
    """What speaks against a file that is a pointer; None for any other."""
    if member.size not in _SIZES:
        return None
    try:
        return text_objection(source.read(member))
    except Refused:
        return None  # it is told when the file is read


def text_objection(text: bytes) -> Refused | None:
    """What speaks against a file of this text, or a link to this place, where it is a pointer."""
    if text.startswith(_LFS):
        return Refused(
            "lfs_pointer",
            "This is a Git LFS pointer: a text that stands for the file, which is not in the upload.",
            "Run `git lfs pull` in the clone of the set, then make the archive again.",
        )
    if _ANNEX.match(text.replace(b"\\", b"/")):
        return Refused(
            "lfs_pointer",
            "This is a git-annex pointer: a link that stands for the file, which is not in the upload.",
            "Run `git annex get .` in the clone of the set, then make the archive with links followed.",
        )
    return None
