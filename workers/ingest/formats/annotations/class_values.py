"""Gives the classes of a format of regions their mask values."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from trainyard.datasets.stored_objects import MAX_OBJECT_CLASSES
from workers.ingest.classes.named_classes import LONGEST_CLASS_NAME
from workers.ingest.problems import ProblemLog, Refused, shown
from workers.ingest.regions.masks import IGNORED

BACKGROUND = "background"
BACKGROUND_NAMES = frozenset(("background", "_background_", "__background__"))
"""What exporters call the class of all that is no object, in any case."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class ClassValues(Generic[Key]):
    """Names by mask value, 0 being background, and the value of each key that the format has for a class."""

    names: dict[int, str]
    value_of: dict[Key, int]


def class_values(
    categories: Iterable[tuple[Key, str]], file: str | None, log: ProblemLog
) -> ClassValues[Key]:
    """Values from 1, in the order given; a category named as background is 0, one name is one class.

    They may be more than a mask can tell apart. Raises Refused where they are more than objects may have.
    """
    names = {0: BACKGROUND}
    value_of: dict[Key, int] = {}
    by_name: dict[str, int] = {}
    for key, given in categories:
        name = shown(given.strip())[:LONGEST_CLASS_NAME] or f"class_{key}"
        if name.casefold() in BACKGROUND_NAMES:
            names[0], value_of[key] = name, 0
            continue
        if name in by_name:
            log.warning(
                "duplicate_class",
                file,
                f"Two classes are called {name!r}; they are read as one.",
                "Nothing, if that is meant; else give each class a name of its own.",
            )
        value_of[key] = by_name.setdefault(name, _value(len(by_name)))
    if len(by_name) >= MAX_OBJECT_CLASSES:
        raise Refused(
            "too_many_classes",
            f"There are {len(by_name)} classes; at most {MAX_OBJECT_CLASSES - 1} are told apart.",
            "Merge classes, or leave out those that are not used.",
        )
    return ClassValues(names | {value: name for name, value in by_name.items()}, value_of)


def _value(place: int) -> int:
    """The value of the class at a place from 0: all but 0 and IGNORED."""
    return place + 1 if place + 1 < IGNORED else place + 2
