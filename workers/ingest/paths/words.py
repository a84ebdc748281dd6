"""The words of paths: how names of folders and files are taken apart so that they can be compared.

Order and place of each word count: `patient1/img/2` and `patient2/img/1` have the same words and are two
things, and so are the tiles `0_1` and `1_0`.
"""

import posixpath
import re
from functools import lru_cache

Words = tuple[str, ...]
"""Words in order, in lower case, numbers without leading zeros."""

_WORD = re.compile(r"(?:(?:(?<=[_\s,(\[])|\A)-)?\d+|[^\W\d_]+")
"""A sign belongs to the number behind it where something else parts words: `t_-1_2`, not `t-1-2`."""
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=1 << 16)
def words(text: str) -> Words:
    """The words of a name; `PedMasks` has two, `t007` has `t` and `7`."""
    found = _WORD.findall(_JOINED.sub(" ", text))
    return tuple(_plain_number(word) if is_number(word) else word.casefold() for word in found)


def _plain_number(word: str) -> str:
    sign, digits = ("-", word[1:]) if word[0] == "-" else ("", word)
    plain = digits.lstrip("0")
    return sign + plain if plain else "0"


@lru_cache(maxsize=1 << 16)
def stem_of(path: str) -> str:
    """The name of a file without its folders and its ending."""
    return posixpath.splitext(posixpath.basename(path))[0]


@lru_cache(maxsize=1 << 16)
def ending_of(path: str) -> str:
    """The ending of a file's name with its dot, casefolded; empty without one."""
    return posixpath.splitext(path)[1].casefold()


def is_number(word: str) -> bool:
    """Whether a word is made of digits, perhaps behind a sign."""
    return word.isdecimal() or (word[1:].isdecimal() and word[0] == "-")
