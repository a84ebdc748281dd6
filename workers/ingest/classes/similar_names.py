"""Warns of names that are nearly the same: likely one thing, written in two ways."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from workers.ingest.items import Item
from workers.ingest.problems import ProblemLog

LISTED = 4

_JOINTS = re.compile(r"[\s_-]+")


def warn_of_like_files(items: Sequence[Item], log: ProblemLog) -> None:
    """Warn of images whose names differ by case alone: on some systems one takes the other's place."""
    for group in _groups((item.name.casefold(), item.image.path) for item in items):
        log.warning(
            "names_alike",
            group[0],
            f"{len(group)} images differ in their names by case alone: {', '.join(group[:LISTED])}.",
            "Nothing, if they are different images; else take one out.",
        )


def warn_of_like_classes(names: Mapping[int, str], log: ProblemLog) -> None:
    """Warn of classes, names by mask value, that differ by case, spaces, hyphens and underscores alone."""
    for group in _groups(
        (_JOINTS.sub("", name.casefold()) or name, f"{name!r} (value {value})")
        for value, name in names.items()
    ):
        log.warning(
            "classes_alike",
            None,
            f"{len(group)} classes have nearly the same name: {', '.join(group[:LISTED])}.",
            "Nothing, if they are different classes; else give them one value with a label map.",
        )


def _groups(keyed: Iterable[tuple[str, str]]) -> list[list[str]]:
    """What has the same key, where that is more than one."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for key, text in keyed:
        alike[key].append(text)
    return [group for group in alike.values() if len(group) > 1]
