"""Which of the folders that pictures lie in may name their classes: those that differ from class to class.

Folders that all pictures share, those that tell a split, and those that say `images` are none of them, as in
`set/train/images/cat/1.jpg`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workers.ingest.paths.layout import common_folders
from workers.ingest.paths.role_words import Role, names_mask, role_of
from workers.ingest.paths.split_folders import SplitFolders, folders_of
from workers.ingest.paths.words import Words, is_number, stem_of, words

_SYNSET = re.compile(r"n\d{8}\Z")
"""WordNet's numbers of nouns, by which ImageNet calls its folders."""
_UNLABELLED = frozenset(
    (
        "unlabeled", "unlabelled", "unlabel", "unsup", "unsupervised", "unknown", "pred", "preds", "predict",
        "prediction", "predictions",
    )
)  # fmt: skip
_FEW = 0.1
"""Of all pictures, so many may be called as masks are."""


@dataclass(frozen=True)
class ClassLevels:
    """The folders of each picture, by its path, that differ among all, the outermost first.

    A picture that lies in none of them, or in one called `unlabeled`, has an empty tuple: nothing names its
    class.
    """

    folders: Mapping[str, tuple[str, ...]]

    @property
    def depth(self) -> int:
        """How many folders name something, at most."""
        return max(map(len, self.folders.values()), default=0)

    def names(self, level: int) -> Counter[str]:
        """Pictures by the name of their folder at that level, counted from 1."""
        return Counter(found[level - 1] for found in self.folders.values() if len(found) >= level)


def class_levels(paths: Sequence[str]) -> ClassLevels:
    """The levels of these pictures."""
    top = common_folders(paths)
    splits = SplitFolders(paths)
    rest = {}
    for path in paths:
        telling = splits.depths(path.rpartition("/")[0])
        named = enumerate(path.split("/")[:-1])
        rest[path] = tuple(name for depth, name in named if depth >= top and depth not in telling)
        if any(map(is_unlabelled, rest[path])):
            rest[path] = ()
    at_level: defaultdict[int, set[str]] = defaultdict(set)
    for found in rest.values():
        for level, name in enumerate(found):
            at_level[level].add(name)
    kept = [level for level in sorted(at_level) if _differs(at_level[level])]
    return ClassLevels(
        {path: tuple(found[level] for level in kept if level < len(found)) for path, found in rest.items()}
    )


def _differs(names: set[str]) -> bool:
    return len(names) > 1 and not all(role_of(words(name)).is_all and _is_image(name) for name in names)


def _is_image(name: str) -> bool:
    return role_of(words(name)).role is Role.IMAGE


def _is_of_masks(folder: str) -> bool:
    return role_of(words(folder.rpartition("/")[2])).role is Role.MASK


def is_unlabelled(folder: str) -> bool:
    """Whether a folder says that nobody has named the class of what lies in it: that is to be predicted."""
    return not _UNLABELLED.isdisjoint(words(folder))


def say_masks(paths: Sequence[str]) -> bool:
    """Whether folders or names of files say that some of the pictures are masks; what they say of all of them
    says nothing: `seg_train/forest/` and `seg_test/forest/`."""
    of_masks = sum(any(map(_is_of_masks, folders_of(path))) for path in paths)
    if 0 < of_masks < len(paths):
        return True
    return sum(names_mask(words(stem_of(path))) for path in paths) > _FEW * len(paths)


def are_numbered(names: Sequence[str]) -> bool:
    """Whether names differ in numbers alone, as those of patients, days and parts do, and of digits, too."""
    if all(_SYNSET.match(name) for name in names):
        return False
    shapes = {_without_numbers(words(name)) for name in names}
    return len(shapes) == 1


def _without_numbers(name: Words) -> Words:
    return tuple(word for word in name if not is_number(word))
