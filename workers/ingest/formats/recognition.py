"""Looks into files of an upload, piece by piece, for the words by which a format is known."""

from workers.ingest.archive import Member
from workers.ingest.formats.base import Source
from workers.ingest.problems import Refused

_LOOKED_AT = 8
_PIECE = 1 << 20
_OVERLAP = 1 << 8
"""Bytes that a piece shares with the next, so that a word across their border is found."""


def largest(source: Source, ending: str) -> list[Member]:
    """Of the files of that ending, those to look at to recognise a format."""
    found = [member for member in source.members if member.path.lower().endswith(ending)]
    return sorted(found, key=lambda member: -member.size)[:_LOOKED_AT]


def looks_like(data: bytes, *words: bytes) -> bool:
    """Whether a document names all these; it need not be whole."""
    return all(word in data for word in words)


def mentions(source: Source, member: Member, *words: bytes) -> bool:
    """Whether a file names all these, of at most 256 bytes each; False where it cannot be read."""
    missing, text = set(words), b""
    try:
        with source.open(member) as file:
            while missing and (piece := file.read(_PIECE)):
                text = text[-_OVERLAP:] + piece
                missing = {word for word in missing if word not in text}
    except Refused:
        return False
    return not missing
