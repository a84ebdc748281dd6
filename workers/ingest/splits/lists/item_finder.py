"""Finds the images of a set that an entry of a list means: by a file, by what files share, by a folder."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from workers.ingest.items import Item
from workers.ingest.paths.index import Match, PathIndex, path_parts
from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.role_words import role_of
from workers.ingest.paths.words import ending_of, stem_of, words

_SHARED_START = re.compile(r".*[^\W\d_](?=\d)|.*[\W_](?=[^\W_])")
_SHARED_END = re.compile(r"(?<=\d)[^\W\d_].*|[\W_].*")
"""Of what all names begin or end with the part that is whole words: `img_` for img_10 and img_11."""


@dataclass(frozen=True, slots=True)
class Target:
    """The names of the items that an entry means.

    Where it means none, `is_known` says whether it names a file of the upload all the same. `is_clear` is
    False where it may mean one of several; `sure` as in `Match`.
    """

    names: frozenset[str] = frozenset()
    is_known: bool = False
    is_clear: bool = True
    sure: bool = True


class ItemFinder:
    """Finds items by the paths of their images and masks, else by shorter forms of these.

    `index` has all pictures of the upload, also those that are of no item.
    """

    def __init__(self, items: Sequence[Item], index: PathIndex) -> None:
        self._items = items
        self._index = index
        self._owners = {item.truth.file: item.name for item in items if is_picture(item.truth.file)}
        self._owners |= {item.image.path: item.name for item in items}

    def find(self, entry: str, near: str) -> Target:
        """What an entry of the list at the path `near` means."""
        match = self._index.find_first(entry, near)
        if match and match.sure:
            return _target(match, self._owners)
        short = self._short_index.find_first(entry, near)
        if short and (short.sure or not match):
            return _target(short, self._short)
        return _target(match, self._owners) if match else self._in_folder(entry)

    @cached_property
    def _short(self) -> dict[str, str]:
        """Names of items by their images' paths without folders of roles and without what all names share."""
        stems = [stem_of(item.image.path) for item in self._items]
        start, end = _shared(stems)
        found: dict[str, str] = {}
        for item, stem in zip(self._items, stems, strict=True):
            folders = [one for one in item.image.path.split("/")[:-1] if not _is_role(one)]
            ending = posixpath.splitext(item.image.path)[1]
            path = "/".join([*folders, stem[start : len(stem) - end] + ending])
            found[path] = item.name if path not in found else ""  # two are called so
        return {path: name for path, name in found.items() if name}

    @cached_property
    def _short_index(self) -> PathIndex:
        return PathIndex(self._short)

    @cached_property
    def _folders(self) -> Mapping[str, Mapping[str, list[str]]]:
        """Names of items by the path of the folder that they lie in, by the name of that folder."""
        found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for item in self._items:
            path = item.image.path.rpartition("/")[0].casefold()
            while path and _is_role(path.rpartition("/")[2]):
                path = path.rpartition("/")[0]
            found[path.rpartition("/")[2]][path].append(item.name)
        return found

    def _in_folder(self, entry: str) -> Target:
        """The items of a folder, such as that of a patient."""
        parts = path_parts(entry)
        folders = self._folders.get(parts[-1], {}) if parts else {}
        wanted = "/".join(parts)
        if len(folders) > 1:
            folders = {path: names for path, names in folders.items() if f"/{path}".endswith(f"/{wanted}")}
        names = frozenset(name for some in folders.values() for name in some)
        return Target(names, is_known=bool(names), is_clear=len(folders) < 2)


def is_picture(path: str) -> bool:
    """Whether the ending is one of a picture."""
    return ending_of(path) in PICTURES


def _target(match: Match, owners: dict[str, str]) -> Target:
    names = frozenset(owners[path] for path in match.paths if path in owners)
    return Target(names, is_known=True, is_clear=len(names) < 2 and not match.many, sure=match.sure)


def _is_role(folder: str) -> bool:
    return role_of(words(folder)).is_all


def _shared(stems: Iterable[str]) -> tuple[int, int]:
    """How many letters all names have in common at the start, and at the end, in whole words."""
    names = set(stems)
    if len(names) < 2:
        return 0, 0
    start = _SHARED_START.match(_common_start(names) + "0")
    end = _SHARED_END.search("0" + _common_start({name[::-1] for name in names})[::-1])
    return len(start[0]) if start else 0, len(end[0]) if end else 0


def _common_start(names: set[str]) -> str:
    first, last = min(names), max(names)
    length = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]
