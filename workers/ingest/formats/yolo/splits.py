"""Finds the splits that YOLO's YAML file tells: `train:`, `val:` and `test:`, folders or lists of images."""

from collections.abc import Iterable, Sequence

from workers.ingest.items import Source
from workers.ingest.paths.index import PathIndex, path_parts
from workers.ingest.problems import Refused
from workers.ingest.text.plain_yaml import read_yaml, yaml_members
from workers.ingest.text.text_files import named, read_text

_KEYS = {"train": "train", "val": "val", "valid": "val", "test": "test"}
_DEEPEST = 24
"""Folders of a path that are compared."""
_LISTS = (".txt", ".lst", ".list")


def yaml_splits(source: Source, images: Sequence[str]) -> dict[str, str]:
    """The split of each image that the first YAML file with splits names, by the image's path.

    Paths may be of another machine: what counts is the end that folders of the upload have. Where the same
    images are to train and to validate, the file tells nothing of them.
    """
    for member in yaml_members(source):
        try:
            content = read_yaml(source, member)
            told = {
                split: {
                    path for value in _values(content.get(key)) for path in _images(value, images, source)
                }
                for key, split in _KEYS.items()
                if key in content
            }
        except Refused:
            continue  # the reader of the names reports it
        if any(told.values()):
            return _parted(told)
    return {}


def _values(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _parted(told: dict[str, set[str]]) -> dict[str, str]:
    train, val, test = (told.get(split, set()) for split in ("train", "val", "test"))
    if train <= val | test:
        val, test = val - train, test - train
        train = set()
    splits = dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
    return splits | dict.fromkeys(val, "val")  # of those in both, runs are to be validated with some


def _images(value: str, images: Sequence[str], source: Source) -> Iterable[str]:
    """The images of a folder, or of a list. Raises Refused."""
    if value.casefold().endswith(_LISTS):
        member = named(source, "/".join(path_parts(value)[-2:])) or named(source, path_parts(value)[-1])
        if member is None:
            return []
        index = PathIndex(images)
        lines = (line.strip() for line in read_text(source, member).splitlines())
        matches = [index.find(line, member.path) for line in lines if line]
        return [match.paths[0] for match in matches if len(match.paths) == 1]
    return _below(path_parts(value), images)


def _below(wanted: list[str], images: Sequence[str]) -> list[str]:
    """The images below the folders whose paths share the longest end with the one wanted."""
    ends: dict[str, int] = {}
    for folder in {path.rpartition("/")[0] for path in images}:
        parts = folder.casefold().split("/")[:_DEEPEST]
        ends[folder] = max(_common_end(parts[:depth], wanted) for depth in range(1, len(parts) + 1))
    best = max(ends.values(), default=0)
    return [path for path in images if best and ends[path.rpartition("/")[0]] == best]


def _common_end(one: list[str], other: list[str]) -> int:
    same = (a == b for a, b in zip(reversed(one), reversed(other), strict=False))
    return next((count for count, equal in enumerate(same) if not equal), min(len(one), len(other)))
