"""Lists that part the images of an upload several times over, as splits by chance do: one split is meant."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from workers.ingest.paths.patterns import matches, plain
from workers.ingest.paths.split_words import split_name
from workers.ingest.splits.lists.named_items import NamedBy, claims

_LETTERS = re.compile(r"([^\W\d_]+)")


@dataclass(frozen=True)
class WholeSplit:
    """Lists that part images once: those whose paths fit `pattern`, and the images that they name for each
    split."""

    pattern: str
    counts: Counter[str]


def whole_splits(lists: Sequence[NamedBy]) -> list[WholeSplit]:
    """What the lists tell as several splits, each of which trains and holds out and names no image twice;
    empty where they are not at least two such."""
    groups: defaultdict[str, list[NamedBy]] = defaultdict(list)
    for one in lists:
        groups[_pattern(one[0].path)].append(one)
    paths = [one.path for one, _ in lists]
    found = [
        WholeSplit(pattern, counts)
        for pattern, group in sorted(groups.items(), key=lambda named: _in_order(named[0]))
        if (counts := _counts(group)) and sum(matches(pattern, path) for path in paths) == len(group)
    ]
    return found if len(found) > 1 else []


def _pattern(path: str) -> str:
    """The path of a list, `*` in the place of the word for its split: `run0/*.txt`, `*_1.txt`."""
    folder, name = posixpath.split(path)
    stem, ending = posixpath.splitext(name)
    parts = ["*" if split_name(part) else plain(part) for part in _LETTERS.split(stem)]
    return posixpath.join(plain(folder), "".join(parts) + plain(ending))


def _counts(group: Sequence[NamedBy]) -> Counter[str]:
    """How many images each split has; empty where an image is in two, or none trains, or all do."""
    told = claims(group)
    counts = Counter(split for splits in told.values() for split in splits)
    is_one = all(len(splits) == 1 for splits in told.values()) and "train" in counts and len(counts) > 1
    return counts if is_one else Counter()


def _in_order(pattern: str) -> list[tuple[int, str]]:
    """Orders `run2` before `run10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", pattern)]
