"""What the labels that tell an image's masks apart say: classes, a count of objects, or both."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from workers.ingest.paths.layout import Picture
from workers.ingest.paths.role_words import IMAGE_WORDS, MASK_WORDS
from workers.ingest.paths.words import is_number, words

_HEXADECIMAL = frozenset("0123456789abcdef")
_HASH_LETTERS = 8
_ANNOTATORS = frozenset(("annotator", "observer", "reader", "rater", "expert", "grader"))
_CLASS_WORDS = frozenset(("class", "classes", "cls", "category"))
_PART = re.compile(r"[^\W_]+")
_COUNT = re.compile(r"\d+")


@dataclass(frozen=True)
class Labelled:
    """A mask of an image and what tells it from the image's other masks, as written."""

    label: str
    mask: Picture


Masks = dict[str, list[Labelled]]
"""The masks of each image, by the image's path."""


@dataclass(frozen=True)
class _Counted:
    """A label without its count, and the count; None without."""

    name: str
    count: int | str | None


def are_told_apart(masks: Masks) -> bool:
    """Whether no two masks of an image have one label."""
    return all(len({one.label for one in labelled}) == len(labelled) for labelled in masks.values())


def come_again(masks: Masks) -> bool:
    """Whether a label is that of masks of several images: a folder of one image's masks names no class."""
    own = [{one.label for one in labelled} for labelled in masks.values()]
    return len(set().union(*own)) < sum(map(len, own))


def may_count(labels: Collection[str], *, are_folders: bool) -> bool:
    """Whether labels are of the same words and differ in numbers or a letter, which may count objects as well
    as classes: `obj_0` and `obj_1`, `a` and `b`. Folders are called so for classes or annotators."""
    said = [words(label) for label in labels]
    others = {tuple(word for word in one if not is_number(word)) for one in said}
    other = set(others.pop())
    if len(said) < 2 or (are_folders and not other & _ANNOTATORS):
        return False
    letters = all(len(label) == 1 and label.isalpha() for label in labels)
    return letters or (not others and bool(other) and not other & _CLASS_WORDS)


def are_first_ones(masks: Masks, labels: Collection[str]) -> bool:
    """Whether the images have different numbers of masks, and each the first so many of all labels, as
    objects are counted."""
    ordered = sorted(labels, key=lambda label: [(len(word), word) for word in words(label)])
    own = [{one.label.casefold() for one in labelled} for labelled in masks.values()]
    return len({len(one) for one in own}) > 1 and all(one == set(ordered[: len(one)]) for one in own)


def is_count(label: str) -> bool:
    """Whether a label counts objects: a number, or a hash."""
    said = [word for word in words(label) if word not in MASK_WORDS | IMAGE_WORDS]
    return all(is_number(word) for word in said) or _is_hash(label)


def classes_of_counted(masks: Masks) -> Masks | None:
    """The masks with their classes as labels, where labels count the objects of classes: `cat_1`, `cat_2` and
    `dog_1`, or `1_cat`, `2_cat` and `3_dog`, if images have different numbers of some.

    None where labels say no such thing, or name classes by numbers: each image has the same ones.
    """
    counted = {path: [_counted(one.label) for one in labelled] for path, labelled in masks.items()}
    everything = [one for labelled in counted.values() for one in labelled]
    names = {one.name.casefold() for one in everything}
    if len(names) < 2 or "" in names or 2 * len(names) > len(everything):
        return None
    if not (_count_within_names(counted.values()) or _count_within_images(counted.values())):
        return None
    return {
        path: [replace(one, label=said.name) for one, said in zip(labelled, counted[path], strict=True)]
        for path, labelled in masks.items()
    }


def _counted(label: str) -> _Counted:
    hashes = [part for part in _PART.findall(label) if _is_hash(part)]
    numbers = _COUNT.findall(label)
    if hashes:
        return _Counted(_without(label, hashes[-1]), hashes[-1])
    return _Counted(_without(label, numbers[-1]), int(numbers[-1])) if numbers else _Counted(label, None)


def _without(label: str, count: str) -> str:
    before, _, behind = label.rpartition(count)
    return "_".join(filter(None, (before.strip("_-. ()"), behind.strip("_-. ()"))))


def _count_within_names(images: Iterable[list[_Counted]]) -> bool:
    """Whether each image has the first so many of each name, and images differ in how many; hashes count
    what they are behind."""
    sizes: defaultdict[str, set[int]] = defaultdict(set)
    has_hashes = False
    for labelled in images:
        found: defaultdict[str, list[int | str | None]] = defaultdict(list)
        for one in labelled:
            found[one.name.casefold()].append(one.count)
        for name, counts in found.items():
            has_hashes = has_hashes or any(isinstance(count, str) for count in counts)
            if not all(isinstance(count, str) for count in counts) and not _are_first(counts):
                return False
            sizes[name].add(len(counts))
    return has_hashes or any(len(of_name) > 1 for of_name in sizes.values())


def _count_within_images(images: Iterable[list[_Counted]]) -> bool:
    """Whether each image has the first so many numbers once, and a number has different names in two."""
    named: defaultdict[int | str | None, set[str]] = defaultdict(set)
    for labelled in images:
        if not _are_first([one.count for one in labelled]):
            return False
        for one in labelled:
            named[one.count].add(one.name.casefold())
    return any(len(names) > 1 for names in named.values())


def _are_first(counts: Collection[int | str | None]) -> bool:
    """Whether these are the first so many numbers, from 0 or 1; one without a number may be before them."""
    numbers = sorted(count for count in counts if isinstance(count, int))
    if len(numbers) + (None in counts) < len(counts):
        return False
    start = numbers[0] if numbers else 1
    return start <= 1 + (None in counts) and numbers == list(range(start, start + len(numbers)))


def _is_hash(text: str) -> bool:
    text = text.casefold()
    return len(text) >= _HASH_LETTERS and set(text) <= _HEXADECIMAL
