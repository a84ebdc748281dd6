"""Finds the small text files by which formats say their classes and splits."""

import codecs
from collections.abc import Iterable

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import Refused
from workers.ingest.upload.name_encodings import guess

MAX_BYTES = 16 << 20
"""Bytes of a text file that is read whole."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # which begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FEWEST_ZEROS = 4
"""Bytes of zero by which UTF-16 without its mark is told from what is no text."""


def named(source: Source, ending: str) -> Member | None:
    """The file whose path is, or ends with, `ending`; of several, the one nearest to the top."""
    wanted = "/" + ending.casefold()
    found = [member for member in source.members if ("/" + member.path.casefold()).endswith(wanted)]
    return min(found, key=lambda member: (member.path.count("/"), member.path), default=None)


def text_of(source: Source, ending: str) -> str | None:
    """The text of the file that `named` finds; None where there is none. Raises Refused."""
    member = named(source, ending)
    return None if member is None else read_text(source, member)


def decoded(data: bytes, citing: bytes = b"") -> tuple[str, str | None]:
    """The text of a file that is UTF-8, UTF-16 or UTF-32; else by the likeliest encoding, which is named.

    `citing` are names, as UTF-8, that the text may have. Raises UnicodeDecodeError where it is no text.
    """
    try:
        return _unicode(data), None
    except UnicodeDecodeError:
        if b"\0" in data:
            raise
    encoding = guess(data.splitlines(), citing)
    return data.decode(encoding), encoding


def _unicode(data: bytes) -> str:
    """Text of Unicode; UTF-16 without its mark is told by zeros, which stand in every other place alone."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and data.count(0) >= _FEWEST_ZEROS:
        low, high = b"\0" in data[::2], b"\0" in data[1::2]
        encoding = encoding if low == high else "utf-16-be" if low else "utf-16-le"
    return data.decode(encoding)


def read_text(source: Source, member: Member) -> str:
    """The text of a file, of Unicode; raises Refused where it is none or too large."""
    data = _bytes(source, member)
    try:
        return _unicode(data)
    except UnicodeDecodeError as error:
        raise _no_text("UTF-8 text", error) from error


def read_list(source: Source, member: Member, paths: Iterable[str]) -> str:
    """The text of a file that may list these paths, in whatever encoding: that of which it names most of
    them is taken. Raises Refused where it is no text or too large."""
    data = _bytes(source, member)
    try:
        return _unicode(data)
    except UnicodeDecodeError:
        pass
    try:
        return decoded(data, "\n".join(paths).encode())[0]
    except UnicodeDecodeError as error:
        raise _no_text("text", error) from error


def _bytes(source: Source, member: Member) -> bytes:
    if member.size > MAX_BYTES:
        raise Refused(
            "text_too_large",
            f"The text file has {member.size} bytes; at most {MAX_BYTES} are read.",
            "Split it, or take out what does not belong there.",
        )
    return source.read(member)


def _no_text(what: str, error: UnicodeDecodeError) -> Refused:
    return Refused("text_encoding", f"The file is no {what}: {error.reason}.", "Save it as UTF-8 text.")
