"""Tells which split a file is of by the names of its folders, judged over all files of a set.

A word that all files have says nothing, and a folder `train` among folders of other words is a class as
likely as a split. So a place, which is a depth of folders, tells splits only where some folder of it is of
val or test, and others are not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from workers.ingest.paths.split_words import EVAL, joined_split_name, split_name

_HELD_OUT = frozenset(("val", "test"))
_FURTHEST = {"train": 0, "val": 1, "test": 2}
_DEEPEST = 24
"""Folders of a path that are looked at."""


class SplitFolders:
    """The folders of a set that tell splits.

    `doubtful` are the splits of those that name one among other words (`road-test`), by their paths: they may
    be splits or not, and tell none here. A folder that is alone at its place is not among them.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        """`paths` are those of all files of the set that are looked at."""
        self._told: dict[str, str] = {}
        self._of: dict[str, str | None] = {}
        self.doubtful: dict[str, str] = {}
        for folders in _by_depth(paths).values():
            told = _telling(folders)
            self._told |= told
            self.doubtful |= _doubtful(folders, told)

    def __bool__(self) -> bool:
        return bool(self._told)

    def of(self, path: str) -> str | None:
        """The split that the folders of a file tell; None where they tell none.

        Of several the one that is held out furthest counts: `train/val/a.png` is of val.
        """
        parent = path.rpartition("/")[0]
        if parent not in self._of:
            told = [self._told[folder] for folder in folders_of(path) if folder in self._told]
            self._of[parent] = furthest(told) if told else None
        return self._of[parent]

    def doubtful_of(self, path: str) -> str | None:
        """As `of`, by the doubtful folders alone."""
        said = [self.doubtful[folder] for folder in folders_of(path) if folder in self.doubtful]
        return furthest(said) if said else None

    def doubtful_names(self, paths: Iterable[str]) -> list[str]:
        """The paths of the doubtful folders of these files."""
        parents = {path.rpartition("/")[0] for path in paths}
        above = {folder for parent in parents for folder in folders_of(f"{parent}/")}
        return sorted(above & self.doubtful.keys())

    def depths(self, folder: str) -> set[int]:
        """Which folders of a folder's path tell a split, counted from 0 at the top."""
        return {depth for depth, part in enumerate(folders_of(f"{folder}/")) if part in self._told}

    def names(self, paths: Iterable[str]) -> list[str]:
        """The names of the folders that tell the splits of these files, train first, each once."""
        found = {
            (_FURTHEST[self._told[folder]], folder.rpartition("/")[2])
            for parent in {path.rpartition("/")[0] for path in paths}
            for folder in folders_of(f"{parent}/")
            if folder in self._told
        }
        return [name for _, name in sorted(found)]


def furthest(splits: Iterable[str]) -> str:
    """Of several splits the one that is held out furthest from training."""
    return max(splits, key=_FURTHEST.__getitem__)


def file_splits(stems: Sequence[str]) -> list[str] | None:
    """The splits that the names of all files of a set tell, `train_01` and `testA_01`.

    None unless each tells one, some are to train and others are not, and these are called alike, which
    `train_station` and `test_tube` are not.
    """
    found = [one for stem in stems if (one := split_name(stem)) is not None and not one.short]
    shapes: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for one in found:
        shapes[one.split].add(one.shape)
    if len(found) < len(stems) or not {"train"} < set(shapes):
        return None
    alike = all(shapes[split] & shapes["train"] for split in shapes)
    return _resolved([one.split for one in found]) if alike else None


def splits_of_names(names: Sequence[str]) -> list[str | None]:
    """The split that each of some names tells, as of folders beside each other: those of annotation files."""
    told = _telling(dict.fromkeys(names)) if len(set(names)) > 1 else {}
    return [told.get(name) for name in names]


def _resolved(splits: Sequence[str]) -> list[str]:
    other = "test" if "val" in splits else "val"
    return [other if split == EVAL else split for split in splits]


def folders_of(path: str) -> list[str]:
    """The folders of a path, from the top, each with those above it."""
    parts = path.split("/")[:-1][:_DEEPEST]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _by_depth(paths: Iterable[str]) -> dict[int, dict[str, str | None]]:
    """The folders at each depth, with the folder above each; the empty name stands for files without one."""
    parents = {path.rpartition("/")[0] for path in paths}
    found: defaultdict[int, dict[str, str | None]] = defaultdict(dict)
    ends = set()
    for parent in parents:
        folders = folders_of(f"{parent}/") if parent else []
        ends.add(len(folders))
        for depth, folder in enumerate(folders):
            found[depth][folder] = folder.rpartition("/")[0]
    for depth, at_depth in found.items():
        if any(end <= depth for end in ends):
            at_depth[""] = None
    return found


def _telling(folders: Mapping[str, str | None]) -> dict[str, str]:
    """The split that each folder of one depth tells, by its path; none where they tell nothing.

    `folders` have the path of the folder above each.
    """
    named = {path: joined_split_name(path.rpartition("/")[2]) for path in folders}
    sure = {path: name for path, name in named.items() if name is not None}
    for classes in _families(folders):
        found = {sure[path].split for path in classes if path in sure}
        if found == {"train"} and not all(path in sure for path in classes):
            for path in classes:  # a class is called so
                sure.pop(path, None)
    shapes: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for name in sure.values():
        shapes[name.shape].add(name.split)
    # Where every folder names a split, and some are called alike, those without a like mean the same:
    # `train-kirin`, `test-kirin` and `train-dalmo`.
    all_tell = len(sure) == len(folders) and not any(name.short for name in sure.values())
    if not (all_tell and any(len(splits) > 1 for splits in shapes.values())):
        sure = {
            path: name
            for path, name in sure.items()
            if (name.known and not name.short) or len(shapes[name.shape]) > 1
        }
    told = dict(zip(sure, _resolved([name.split for name in sure.values()]), strict=True))
    parts = set(told.values()) if len(told) == len(folders) else {*told.values(), None}
    return told if parts & _HELD_OUT and len(parts) > 1 else {}


def _doubtful(folders: Mapping[str, str | None], told: Mapping[str, str]) -> dict[str, str]:
    if len(folders) == 1:
        return {}
    named = {path: split_name(path.rpartition("/")[2]) for path in folders if path not in told}
    found = {path: name.split for path, name in named.items() if name and not (name.known or name.short)}
    return dict(zip(found, _resolved(list(found.values())), strict=True))


def _families(folders: Mapping[str, str | None]) -> Iterable[list[str]]:
    """The folders that lie in the same one."""
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    for path, above in folders.items():
        found[above].append(path)
    return found.values()
