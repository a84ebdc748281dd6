"""Which encoding file names were written in, where the archive does not say.

Zips made by older systems, tars and folders hold names as bytes. All names of an archive are judged together:
where they are UTF-8 they are that; else each candidate that can decode every one of them is scored by how
much its text looks like names that people write (`name_scripts`), and by how many of the names are
referenced in texts that are UTF-8: annotations and lists name the files that they are about.
"""

import json
import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from workers.ingest.problems import Refused
from workers.ingest.upload import name_scripts as scripts

FALLBACK = "cp437"
"""What the zip specification says of names that nothing marks (APPNOTE 6.3.10, D.1); it decodes any bytes."""

_JUDGED = 1000
"""Names that are scored, spread over all; each must decode."""

_CANDIDATES: tuple[tuple[str, Callable[[str], float]], ...] = (
    ("cp437", scripts.latin),
    ("cp1252", scripts.latin),
    ("cp850", scripts.latin),
    ("cp1250", scripts.latin),
    ("cp852", scripts.latin),
    ("cp1251", scripts.cyrillic),
    ("cp866", scripts.cyrillic),
    ("gbk", scripts.chinese),
    ("big5", scripts.chinese_traditional),
    ("cp932", scripts.japanese),
    ("euc_jp", scripts.japanese),
    ("cp949", scripts.korean),
)
"""Of equal scores the earlier counts."""

_RARE = {"euc_jp": 0.1, "cp850": 0.05, "cp1250": 0.05, "cp852": 0.05}
"""What is taken off the score of encodings that few archives have."""

_CITED = 4.0
"""What is added to the score where all names are referenced: more than scripts can make up for."""

_SOUGHT = 50
"""Names that are sought in texts."""

_LONG = 6
"""Bytes beyond ASCII from which on a name is hardly UTF-8 by chance; a single hanzi in GBK often is."""

_MIXED = 10
"""Where no more than one name in so many is UTF-8, that is by chance, and it is as the others."""


@dataclass(frozen=True)
class DecodedNames:
    """The names in order; `guessed` is the encoding that evidence decided, None where nothing was guessed.

    `example` is a name decoded by it.
    """

    names: list[str]
    guessed: str | None = None
    example: str | None = None


def decode_names(
    raw: Sequence[str | bytes], encoding: str | None, texts: Callable[[], bytes] = bytes
) -> DecodedNames:
    """Decode the names of one archive that are bytes, by `encoding` where the client names one.

    `texts` gives what may cite the names; it is called only where they have to be guessed.

    Raises Refused where a name is not of the encoding that the client names.
    """
    if encoding is not None:
        return DecodedNames([name if isinstance(name, str) else _as_told(name, encoding) for name in raw])
    unmarked = [name for name in raw if isinstance(name, bytes)]
    foreign = [name for name in unmarked if not _is_utf8(name)]
    if not foreign:
        return DecodedNames([_text(name, "utf-8") for name in raw])
    surely_utf8 = {name for name in unmarked if _is_surely_utf8(name)}
    if len(surely_utf8) * _MIXED <= len(foreign):
        surely_utf8 = set()
    found = guess((name for name in unmarked if name not in surely_utf8), texts())
    names = [_text(name, "utf-8" if name in surely_utf8 else found) for name in raw]
    return DecodedNames(names, guessed=found, example=foreign[0].decode(found))


def guess(names: Iterable[bytes], text: bytes = b"") -> str:
    """The likeliest encoding of names that are no UTF-8; `text` may cite some of them."""
    distinct = sorted({name for name in names if not name.isascii()})
    step = max(len(distinct) // _JUDGED, 1)
    best, best_score = FALLBACK, float("-inf")
    for encoding, score in _CANDIDATES:
        decoded = _decoded(distinct, encoding)
        if decoded is None:
            continue
        found = _mean(decoded[::step], score) - _RARE.get(encoding, 0.0) + _CITED * _referenced(decoded, text)
        if found > best_score:
            best, best_score = encoding, found
    return best


def _mean(texts: Sequence[str], score: Callable[[str], float]) -> float:
    """The score for each character beyond ASCII."""
    characters = sum(not character.isascii() for text in texts for character in text)
    return sum(map(score, texts)) / max(characters, 1)


def _referenced(names: Sequence[str], text: bytes) -> float:
    """The part of some names, without endings, that a text has as UTF-8 or with JSON's escapes: 0 to 1."""
    if not text:
        return 0.0
    stems = {posixpath.splitext(posixpath.basename(name))[0] for name in names}
    sought = sorted(stem for stem in stems if not stem.isascii())
    sought = sought[:: max(len(sought) // _SOUGHT, 1)]
    found = sum(stem.encode() in text or json.dumps(stem)[1:-1].encode() in text for stem in sought)
    return found / max(len(sought), 1)


def _decoded(names: Sequence[bytes], encoding: str) -> list[str] | None:
    try:
        return [name.decode(encoding) for name in names]
    except UnicodeDecodeError:
        return None


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_surely_utf8(name: bytes) -> bool:
    return sum(byte >= 0x80 for byte in name) >= _LONG and _is_utf8(name)


def _text(name: str | bytes, encoding: str) -> str:
    return name if isinstance(name, str) else name.decode(encoding)


def _as_told(name: bytes, encoding: str) -> str:
    try:
        return name.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused(
            "names_encoding",
            f"The file name {name[:80]!r} is not of the encoding {encoding}: {error.reason}.",
            "Name the encoding of the system that made the archive, or leave `names_encoding` out.",
        ) from error
