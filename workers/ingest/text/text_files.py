"""Finds the small text files by which formats say their classes and splits."""

import codecs

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import Refused
from workers.ingest.upload.name_encodings import guess

MAX_BYTES = 16 << 20
"""Bytes of a text file that is read whole."""


def named(source: Source, ending: str) -> Member | None:
    """The file whose path is, or ends with, `ending`; of several, the one nearest to the top."""
    wanted = "/" + ending.casefold()
    found = [member for member in source.members if ("/" + member.path.casefold()).endswith(wanted)]
    return min(found, key=lambda member: (member.path.count("/"), member.path), default=None)


def text_of(source: Source, ending: str) -> str | None:
    """The text of the file that `named` finds; None where there is none. Raises Refused."""
    member = named(source, ending)
    return None if member is None else read_text(source, member)


def decoded(data: bytes) -> tuple[str, str | None]:
    """The text of a file that is UTF-8, or UTF-16 with its mark; else by the likeliest encoding, which is
    named. Raises UnicodeDecodeError where it is no text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16"), None
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        if b"\0" in data:
            raise
    encoding = guess(data.splitlines())
    return data.decode(encoding), encoding


def read_text(source: Source, member: Member) -> str:
    """The text of a file, UTF-8; raises Refused where it is none or too large."""
    if member.size > MAX_BYTES:
        raise Refused(
            "text_too_large",
            f"The text file has {member.size} bytes; at most {MAX_BYTES} are read.",
            "Split it, or take out what does not belong there.",
        )
    try:
        return source.read(member).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            "text_encoding", f"The file is no UTF-8 text: {error.reason}.", "Save it as UTF-8 text."
        ) from error
