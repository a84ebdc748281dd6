"""Finds the JSON files of an upload that are COCO, by their text: they are not parsed for that."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import Refused

MAX_FILES = 50
"""JSON files looked at, the largest; a set of other JSON may have one for each image."""

_PIECE = 1 << 20
_OVERLAP = 1 << 10
"""Bytes that a piece shares with the next, so that what lies across their border is found."""

_IMAGES, _NAMES, _SEGMENTS = b'"images"', b'"file_name"', b'"segments_info"'
_REGIONS, _BOXES = b'"segmentation"', b'"bbox"'
_OUTLINE = re.compile(rb'"segmentation"\s*:\s*(?:\[\s*\[?\s*-?\d|\{\s*")')
_NO_ANNOTATIONS = re.compile(rb'"annotations"\s*:\s*\[\s*\]')


def annotated_members(source: Source) -> list[Member]:
    """The JSON files that have images and annotations with boxes or regions, the largest first."""
    return [candidate.member for candidate in _candidates(source) if candidate.has_objects]


def has_outlines(source: Source, members: Sequence[Member]) -> bool:
    """Whether one of these files draws an object, or is cut off, so that it is not known."""
    return any(_may_draw(source, member) for member in members)


def coco_members(source: Source) -> list[Member]:
    """The files to read, by path: those with objects, and empty ones beside them (a split without any)."""
    found = list(_candidates(source))
    if not any(candidate.has_objects for candidate in found):
        return []
    members = [candidate.member for candidate in found if candidate.has_objects or candidate.empty]
    instances = [member for member in members if PurePosixPath(member.path).name.startswith("instances")]
    return sorted(instances or members, key=lambda member: member.path)


def _may_draw(source: Source, member: Member) -> bool:
    text, last = b"", b""
    try:
        with source.open(member) as file:
            while piece := file.read(_PIECE):
                text = text[-_OVERLAP:] + piece
                if _OUTLINE.search(text):
                    return True
                last = piece.rstrip()[-1:] or last
    except Refused:
        return True
    return last != b"}"


@dataclass(frozen=True)
class _Candidate:
    """A JSON file that may be COCO: with objects, or cut off before them; `empty` if its list of them is."""

    member: Member
    has_objects: bool
    empty: bool


def _candidates(source: Source) -> Iterator[_Candidate]:
    """The JSON files that have COCO's lists, the largest first."""
    members = [member for member in source.members if member.path.casefold().endswith(".json")]
    for member in sorted(members, key=lambda one: (-one.size, one.path))[:MAX_FILES]:
        try:
            with source.open(member) as file:
                candidate = _judged(member, file)
        except Refused:
            continue  # of no use here; the reader that takes the set reads it again
        if candidate is not None:
            yield candidate


def _judged(member: Member, file: BinaryIO) -> _Candidate | None:
    """What the text says of a file; None where it is no COCO. Raises Refused."""
    missing = {_IMAGES, _NAMES, _REGIONS, _BOXES}
    text, last, empty = b"", b"", False
    while piece := file.read(_PIECE):
        text = text[-_OVERLAP:] + piece
        if _SEGMENTS in text:
            return None
        missing -= {key for key in missing if key in text}
        empty = empty or _NO_ANNOTATIONS.search(text) is not None
        last = piece.rstrip()[-1:] or last
    if {_IMAGES, _NAMES} & missing:
        return None
    return _Candidate(member, has_objects=not {_REGIONS, _BOXES} <= missing or last != b"}", empty=empty)
