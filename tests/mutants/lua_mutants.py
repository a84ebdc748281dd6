"""Mutants of the scripts that run in Redis: each differs from its script in one place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.mutants.lua_words import Word, statement_end, words

_OTHERS = {
    "==": "~=", "~=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+", "*": "/",
    "/": "*", "and": "or", "or": "and", "true": "false", "false": "true", "not": "",
}  # fmt: skip
"""What an operator or a constant is exchanged for."""
_BEFORE_STATEMENT = frozenset({"then", "do", "else", "repeat", ";", ")", "end"})


@dataclass(frozen=True)
class LuaMutant:
    """The script, by its file's name without suffix, with `before` at `start` replaced by `after`."""

    script: str
    start: int
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """Where and what: unique within all scripts."""
        return f"{self.script}.lua:{self.line}:{self.start} {self.before!r} -> {self.after!r}"

    def applied(self, source: str) -> str:
        """The script's source with the change."""
        return source[: self.start] + self.after + source[self.start + len(self.before) :]

    def difference(self, source: str) -> str:
        """The lines in which the two differ, as diff shows them."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.start + len(self.before))
        old = source[first:last]
        new = old[: self.start - first] + self.after + old[self.start - first + len(self.before) :]
        return "".join(
            f"{sign}{line}\n" for sign, text in (("-", old), ("+", new)) for line in text.splitlines()
        )


def mutants(script: str, source: str) -> list[LuaMutant]:
    """All of one script: other operators and constants, turned conditions, calls and assignments left out."""
    found = words(source)
    return [
        LuaMutant(script, start, source.count("\n", 0, start) + 1, before, after)
        for start, before, after in (*_exchanged(found), *_turned(found, source), *_left_out(found, source))
    ]


def _exchanged(found: Sequence[Word]) -> Iterator[tuple[int, str, str]]:
    for place, word in enumerate(found):
        if word.kind == "number":
            yield word.start, word.text, f"({word.text} + 1)"
        elif word.kind == "text" and not _is_command(found, place):
            yield word.start, word.text, f"'XX{word.text[1:-1]}XX'"
        elif word.text in _OTHERS and word.kind in ("keyword", "sign"):
            yield word.start, word.text, _OTHERS[word.text]


def _is_command(found: Sequence[Word], place: int) -> bool:
    """Whether a text is the name of a command of Redis: any test that comes by would see that it is none."""
    return [word.text for word in found[max(0, place - 4) : place]] == ["redis", ".", "call", "("]


def _turned(found: Sequence[Word], source: str) -> Iterator[tuple[int, str, str]]:
    """Conditions that hold where they did not."""
    for place, word in enumerate(found):
        if word.kind == "keyword" and word.text in ("if", "elseif"):
            then = next(later for later in found[place:] if later.kind == "keyword" and later.text == "then")
            condition = source[word.end : then.start].strip()
            yield source.index(condition, word.end), condition, f"not ({condition})"


def _left_out(found: Sequence[Word], source: str) -> Iterator[tuple[int, str, str]]:
    """Calls, assignments to what is there already, and returns from within a function without a value."""
    for place, word in enumerate(found):
        begins = place == 0 or found[place - 1].text in _BEFORE_STATEMENT or word.line > found[place - 1].line
        if word.kind == "name" and begins and _inside(found, place) == 0:
            end = statement_end(found, place)
            text = source[word.start : found[end - 1].end]
            if re.match(r"[\w.\[\]#+ ]+(?:\(|=|, \w)", text):
                yield word.start, text, ""


def _inside(found: Sequence[Word], place: int) -> int:
    """How many brackets are open before the word, in the statement that it is in."""
    depth = 0
    for word in found[:place]:
        if word.kind == "sign":
            depth += (word.text in "({[") - (word.text in ")}]")
    return depth


def users(scripts: dict[str, str], prelude: str, start: int) -> set[str]:
    """The scripts in which what stands at `start` of the prelude may have a say, by the names it defines."""
    chunks = [(match.start(), match.group(1).split(", ")) for match in _DEFINITION.finditer(prelude)]
    ends = [place for place, _ in chunks[1:]] + [len(prelude)]
    own = max((number for number, (place, _) in enumerate(chunks) if place <= start), default=0)
    known = set(chunks[own][1])
    named = [
        {word.text for word in words(prelude[place:end])}
        for (place, _), end in zip(chunks, ends, strict=True)
    ]
    while True:
        further = {
            name for (_, names), used in zip(chunks, named, strict=True) if used & known for name in names
        }
        if further <= known:
            break
        known |= further
    if "update_lists" in known:  # with which every script ends
        return set(scripts)
    return {name for name, source in scripts.items() if known & {word.text for word in words(source)}}


_DEFINITION = re.compile(r"^local (?:function )?(\w+(?:, \w+)*)", re.MULTILINE)
