"""Lua as far as its mutants need it: words with their places, comments left out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

KEYWORDS = frozenset({
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
})  # fmt: skip
_WORD = re.compile(
    r"""(?P<comment>--[^\n]*)
    |(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
    |(?P<name>[A-Za-z_]\w*)
    |(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    |(?P<sign>\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^\#<>=(){}\[\];:,.])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Word:
    """A word from `start` to `end` of the source; `kind` is keyword, name, text, number or sign."""

    kind: str
    text: str
    start: int
    end: int
    line: int


def words(source: str) -> list[Word]:
    """All words of the source. ValueError where something is not known here, as long brackets are not."""
    found, place, line = [], 0, 1
    while place < len(source):
        if source[place].isspace():
            line += source[place] == "\n"
            place += 1
            continue
        match = _WORD.match(source, place)
        if match is None or source.startswith("--[[", place):
            raise ValueError(
                f"line {line} of a script has something that is not known: {source[place : place + 20]!r}"
            )
        kind = str(match.lastgroup)
        if kind != "comment":
            is_keyword = kind == "name" and match.group() in KEYWORDS
            found.append(Word("keyword" if is_keyword else kind, match.group(), place, match.end(), line))
        place = match.end()
    return found


def statement_end(found: Sequence[Word], first: int) -> int:
    """The place after the last word of a statement that begins with a name: a call or an assignment.

    It goes to where a line ends outside of brackets and neither line needs the other, or a block ends.
    """
    depth = 0
    for place in range(first, len(found)):
        word = found[place]
        if depth == 0 and place > first and _begins_another(found[place - 1], word):
            return place
        depth += (word.text in "({[") - (word.text in ")}]") if word.kind == "sign" else 0
        if depth < 0:
            return place
    return len(found)


def _begins_another(last: Word, word: Word) -> bool:
    if word.text in ("end", "else", "elseif", "until", ";", "return", "local", "if", "for", "while", "break"):
        return word.kind in ("keyword", "sign")
    goes_on = {"and", "or", "..", "+", "-", "*", "/", "=", ",", ".", "==", "not"}
    return word.line > last.line and word.text not in goes_on and last.text not in goes_on
