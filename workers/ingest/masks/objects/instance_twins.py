"""Masks of ids of objects that lie beside masks of classes and are called as these but for a word.

`x_semantic.png` and `x_instance.png`, `semantic/` and `instances/`, VOC's `SegmentationClass/` and
`SegmentationObject/`.
"""

import re
from collections.abc import Iterable, Mapping

from workers.ingest.archive import Member
from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.words import Words, ending_of, words

_OF_CLASSES = frozenset(("semantic", "semantics", "sem", "class", "classes", "cls"))
_OF_OBJECTS = frozenset(("instance", "instances", "inst", "object", "objects", "panoptic"))
_MAY_BE = re.compile(r"inst|object|panoptic", re.IGNORECASE)
_Key = tuple[Words, ...]


def instance_twins(members: Iterable[Member]) -> Mapping[str, Member]:
    """The mask of ids beside each mask of classes, by the path of the latter; empty unless each has one."""
    members = list(members)
    if not any(_MAY_BE.search(member.path) for member in members):
        return {}
    classes: dict[_Key, str] = {}
    objects: dict[_Key, Member] = {}
    for member in members:
        if ending_of(member.path) not in PICTURES:
            continue
        said = tuple(words(part) for part in member.path.rpartition(".")[0].split("/"))
        if (key := _without(said, _OF_CLASSES)) != said:
            classes[key] = member.path
        elif (key := _without(said, _OF_OBJECTS)) != said:
            objects[key] = member
    if not classes or not classes.keys() <= objects.keys():
        return {}
    return {path: objects[key] for key, path in classes.items()}


def _without(said: _Key, kinds: frozenset[str]) -> _Key:
    return tuple(tuple(word for word in part if word not in kinds) for part in said)
