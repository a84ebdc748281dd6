"""Folders of the data root as the older training service's clients name them: one for each split."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import NotFound
from trainyard.storage.data_root import DataRoot

OLD_ROOT = "data"
"""The first part of a path by which older clients mean the data root."""
SPLITS = ("train", "test", "val")
BESIDE = frozenset({".json", ".txt", ".csv", ".yaml", ".yml", ".xml"})
"""Endings of files beside the folders of splits that belong to the set: names of classes, annotations."""


@dataclass(frozen=True, kw_only=True)
class SplitFolders:
    """A folder of the data root that has one for each split; `val` is None where it has none."""

    name: str
    base: Path
    train: Path
    test: Path
    val: Path | None


def split_folders(root: DataRoot) -> list[SplitFolders]:
    """The folders of the data root that hold `train/` and `test/`, by name."""
    if not root.folder.is_dir():
        return []
    names = sorted(path.name for path in root.folder.iterdir() if not path.name.startswith("."))
    return [found for name in names if (found := _split_folders(root, name))]


def _split_folders(root: DataRoot, name: str) -> SplitFolders | None:
    base = _folder(root, Path(name))
    train, test, val = (_folder(root, Path(name, split)) for split in SPLITS)
    if base is None or train is None or test is None:
        return None
    return SplitFolders(name=name, base=base, train=train, test=test, val=val)


def _folder(root: DataRoot, place: Path) -> Path | None:
    """The folder of the data root, under its own name, which that is one of; None where there is none."""
    name = root.name_of(place)
    folder = None if name is None else root.folder / name
    return folder if folder and folder.is_dir() else None


def set_parts(root: DataRoot, folders: Mapping[str, str]) -> dict[str, str]:
    """The parts of the data set whose `folders` a client names by split: paths below the data root by their
    names at the set's top. Texts that lie beside all of them belong to it.

    Raises NotFound, keyed by the splits, for what is no folder of the data root.
    """
    found = {split: _folder(root, _place(text)) for split, text in folders.items()}
    absent = {split: [f"no folder {folders[split][:200]!r}"] for split, path in found.items() if path is None}
    if absent:
        raise NotFound("There is no such folder in the data root.", errors=absent)
    paths = {split: path for split, path in found.items() if path is not None}
    parents = {path.parent for path in paths.values()}
    if len(parents) == 1 and (parent := parents.pop()).is_relative_to(root.folder) and parent != root.folder:
        paths |= {path.name: path for path in sorted(parent.iterdir()) if _is_beside(path)}
    return {name: path.relative_to(root.folder).as_posix() for name, path in paths.items()}


def _place(text: str) -> Path:
    """Where a client's path leads from the data root."""
    first, *rest = Path(text).parts or (text,)
    return Path(*rest) if first == OLD_ROOT else Path(text)


def _is_beside(path: Path) -> bool:
    is_shown = not path.name.startswith(".") and path.suffix.lower() in BESIDE
    return is_shown and path.is_file() and not path.is_symlink()
