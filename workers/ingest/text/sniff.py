"""Looks into files of an upload, piece by piece, for the words by which a format is known."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import Refused

MOST_SAMPLED = 1000
"""Files of single images that are looked at for one that outlines objects."""

One = TypeVar("One")

_LOOKED_AT = 8
_PIECE = 1 << 20
_OVERLAP = 1 << 8
"""Bytes that a piece shares with the next, so that a word across their border is found."""


def largest(source: Source, ending: str) -> list[Member]:
    """Of the files of that ending, those to look at to recognise a format."""
    found = [member for member in source.members if member.path.lower().endswith(ending)]
    return sorted(found, key=lambda member: -member.size)[:_LOOKED_AT]


def sample(members: Sequence[One], most: int = MOST_SAMPLED) -> Sequence[One]:
    """At most so many of the files, or of their names, spread evenly over them."""
    return members[:: -(-len(members) // most)] if members else members


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


def any_has(source: Source, members: Iterable[Member], pattern: re.Pattern[bytes]) -> bool:
    """Whether one of the files has a text of at most 256 bytes that the pattern fits; reads no further."""
    return any(_has(source, member, pattern) for member in members)


def _has(source: Source, member: Member, pattern: re.Pattern[bytes]) -> bool:
    text = b""
    try:
        with source.open(member) as file:
            while piece := file.read(_PIECE):
                text = text[-_OVERLAP:] + piece
                if pattern.search(text):
                    return True
    except Refused:
        return False
    return False
