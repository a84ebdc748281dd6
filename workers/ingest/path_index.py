"""Finds the files of an upload that a list names, by paths that may be of another machine."""

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_MOST_WORDS = 8
"""Words of a line that may be the name of one file, which may have spaces."""


@dataclass(frozen=True, slots=True)
class Match:
    """The files that an entry may mean; `sure` unless its folders are others than theirs."""

    paths: tuple[str, ...]
    sure: bool

    def __bool__(self) -> bool:
        return bool(self.paths)


_NONE = Match((), sure=True)


class PathIndex:
    """Files by their names, with and without the ending; case does not count."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(paths):
            name = posixpath.basename(path).casefold()
            self._by_name[name].append(path)
            self._by_stem[posixpath.splitext(name)[0]].append(path)

    def find(self, entry: str, near: str) -> Match:
        """What an entry of the list at the path `near` means.

        Of the files of that name those whose path shares the longest end with the entry, and then the
        longest beginning with the list's path: `/home/me/set/images/a.jpg` is `s/images/a.jpg`.
        """
        parts = path_parts(entry)
        if not parts:
            return _NONE
        name = parts[-1]
        stem = posixpath.splitext(name)[0]
        found = self._by_name.get(name) or self._by_stem.get(name) or self._by_stem.get(stem)
        if not found:
            return _NONE
        wanted, place = parts[-2::-1], _folders(near)
        ranks = [
            (_common(wanted, folders[::-1]), _common(place, folders))
            for folders in (_folders(path) for path in found)
        ]
        best = max(ranks)
        paths = tuple(path for path, rank in zip(found, ranks, strict=True) if rank == best)
        return Match(paths, sure=best[0] > 0 or len(parts) == 1)

    def find_first(self, text: str, near: str) -> Match:
        """What a text means that begins with an entry: `Abyssinian_100 1 1 2`; the longest that is a file."""
        words = text.split(" ", _MOST_WORDS)
        beginnings = (" ".join(words[:count]) for count in range(len(words), 0, -1))
        matches = (self.find(beginning, near) for beginning in beginnings)
        return next((match for match in matches if match), _NONE)


def path_parts(entry: str) -> list[str]:
    """The folders and the name of a cited path, in lower case, without what is of the machine or says nothing."""
    plain = unicodedata.normalize("NFC", entry).strip().strip("\"'").replace("\\", "/").casefold()
    return [part for part in plain.split("/") if part not in ("", ".", "..") and not part.endswith(":")]


@lru_cache(maxsize=4096)
def _folders(path: str) -> list[str]:
    return path.casefold().split("/")[:-1]


def _common(one: list[str], other: list[str]) -> int:
    same = (a == b for a, b in zip(one, other, strict=False))
    return next((count for count, equal in enumerate(same) if not equal), min(len(one), len(other)))
