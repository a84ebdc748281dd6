"""Texts that stand for a file which is kept elsewhere: pointers of Git LFS and of git-annex.

Source: the Git LFS specification (docs/spec.md: a pointer is below 1,024 bytes and its first line is the
version), and git-annex's pointer files and links, which name a place below `annex/objects/`.
"""

import re

from workers.ingest.archive import Member
from workers.ingest.formats.base import Source
from workers.ingest.problems import Refused

LONGEST = 1024
"""Bytes that a pointer, or the text of a link, may have."""

_SIZES = range(40, 400)
"""Bytes of nearly all; larger ones have extensions that few use."""

_TEXT_SIZES = range(120, 200)
"""The same of text files, most of which are labels of so few bytes that all of them would be read twice."""

_LFS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_ANNEX = re.compile(rb"(\.\.?/)*(\.git)?/?annex/objects/\S")


def pointer_objection(source: Source, member: Member) -> Refused | None:
    """What speaks against a file that is a pointer; None for any other. Cheap: few files are so small."""
    sizes = _TEXT_SIZES if member.path.lower().endswith(".txt") else _SIZES
    if member.size not in sizes:
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
