"""Finds the files of an upload that a list names, by paths that may be of another machine."""

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from workers.ingest.paths.words import stem_of

_MOST_WORDS = 8
"""Words of a line that may be the name of one file, which may have spaces."""
_DEEPEST = 8
"""Folders of a path that are compared, the innermost."""
_MOST_RIVALS = 64
"""Files that one entry may mean, of which the nearest is looked for."""


@dataclass(frozen=True, slots=True)
class Match:
    """The files that an entry may mean, or two of `many`; `sure` if its folders are theirs."""

    paths: tuple[str, ...]
    sure: bool
    many: bool = False

    def __bool__(self) -> bool:
        return bool(self.paths)


_NONE = Match((), sure=True)


class PathIndex:
    """Files by their names, with and without the ending; case does not count. Built when first asked."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = paths
        self._tails: dict[str, dict[tuple[str, ...], list[str]]] = {}

    @cached_property
    def _names(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The paths of each name, and of each name without ending."""
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(set(self.paths)):
            by_name[posixpath.basename(path).casefold()].append(path)
            by_stem[stem_of(path).casefold()].append(path)
        return dict(by_name), dict(by_stem)

    def find(self, entry: str, near: str) -> Match:
        """What an entry of the list at the path `near` means.

        Of the files of that name those whose path shares the longest end with the entry, and then the
        longest beginning with the list's path: `/home/me/set/images/a.jpg` is `s/images/a.jpg`.
        """
        parts = path_parts(entry)
        if not parts:
            return _NONE
        *folders, name = parts
        by_name, by_stem = self._names
        stem = posixpath.splitext(name)[0]
        for key, found in (
            (name, by_name.get(name)),
            (f"{name}/", by_stem.get(name)),
            (f"{stem}/", by_stem.get(stem)),
        ):
            if found:
                paths, shared = self._of_longest_end(key, found, folders)
                sure = shared > 0 or not folders
                if len(paths) > _MOST_RIVALS:
                    return Match(tuple(paths[:2]), sure, many=True)
                return Match(_nearest(paths, near), sure)
        return _NONE

    def _of_longest_end(self, key: str, found: list[str], folders: list[str]) -> tuple[list[str], int]:
        """Of the files of a name those that lie in most of these folders, the innermost first, and how many
        these are; `key` is the name's own."""
        if key not in self._tails:
            tails: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
            for path in found:
                own = _folders(path)[-_DEEPEST:]
                for depth in range(len(own) + 1):
                    tails[tuple(own[len(own) - depth :])].append(path)
            self._tails[key] = tails
        tails_of_name = self._tails[key]
        for depth in range(min(len(folders), _DEEPEST), 0, -1):
            paths = tails_of_name.get(tuple(folders[len(folders) - depth :]))
            if paths:
                return paths, depth
        return found, 0

    def find_first(self, text: str, near: str) -> Match:
        """What a text means that begins with an entry: `Abyssinian_100 1 1 2`; the longest that is a file."""
        words = text.split(" ", _MOST_WORDS)
        beginnings = (" ".join(words[:count]) for count in range(len(words), 0, -1))
        matches = (self.find(beginning, near) for beginning in beginnings)
        return next((match for match in matches if match), _NONE)


def path_parts(entry: str) -> list[str]:
    """The folders and the name of a referenced path, in lower case, without what says nothing."""
    plain = unicodedata.normalize("NFC", entry).strip().strip("\"'").replace("\\", "/").casefold()
    return [part for part in plain.split("/") if part not in ("", ".", "..") and not part.endswith(":")]


def _nearest(paths: list[str], near: str) -> tuple[str, ...]:
    """Of some paths those that share the longest beginning with another."""
    if len(paths) == 1:
        return (paths[0],)
    place = _folders(near)
    shared = [_common(place, _folders(path)) for path in paths]
    most = max(shared)
    return tuple(path for path, count in zip(paths, shared, strict=True) if count == most)


def _folders(path: str) -> list[str]:
    return path.casefold().split("/")[:-1]


def _common(one: list[str], other: list[str]) -> int:
    same = (a == b for a, b in zip(one, other, strict=False))
    return next((count for count, equal in enumerate(same) if not equal), min(len(one), len(other)))
