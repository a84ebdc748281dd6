"""The forms in which JSON files name classes.

A list of names, or of objects with a name and perhaps an id and a colour; names by id, ids or colours by
name; and each of these within an object, under `classes`, `labels`, `names`, `categories`, `label_map` or
`id2label`. Files about more than classes are read by such a key alone.
Datumaro's dataset_meta.json has `segmentation_colors` in the order of its `label_map`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.ingest.classes.named_classes import (
    NamedClasses,
    Unread,
    checked_name,
    first_value,
    in_order,
    whole,
    with_ids,
)
from workers.ingest.items import Color

_WITHIN = (
    "classes", "labels", "names", "categories", "label_map", "id2label", "class_names", "label_names",
)  # fmt: skip
_IDS = ("id", "value", "index", "trainId", "class_id")
_NAMES = ("name", "label", "title", "class_name")
_COLORS = ("color", "colour", "rgb")
_IGNORE = ("ignore_index", "ignore_value", "ignore_label")
_CHANNELS = 3
_OF_ANNOTATIONS = frozenset(("images", "annotations", "shapes", "objects", "_via_img_metadata", "imagePath"))


def classes_of(content: object) -> NamedClasses:
    """What the content of a file says; raises Unread."""
    if isinstance(content, list):
        return _of_list(content)
    if not isinstance(content, dict):
        raise Unread("it is neither a list nor an object")
    for key in _WITHIN:
        if isinstance(content.get(key), list | dict):
            return _within(content, key)
    if any(key in content for key in _WITHIN):
        raise Unread("what it calls classes is neither a list nor an object")
    return _of_mapping(content)


def classes_in(content: object) -> NamedClasses | None:
    """What a file about a set says of its classes, under a key that is called so; None for one that says
    nothing, and for annotations. Raises Unread."""
    if not isinstance(content, dict) or not _OF_ANNOTATIONS.isdisjoint(content):
        return None
    key = next((key for key in _WITHIN if isinstance(content.get(key), list | dict)), None)
    return None if key is None else _within(content, key)


def classes_of_dataset(content: object) -> NamedClasses | None:
    """What nnU-Net's dataset.json says; None for another file of this name. Raises Unread."""
    if not isinstance(content, dict) or not isinstance(content.get("labels"), dict):
        return None
    return _of_mapping(content["labels"])


def _within(content: Mapping[str, Any], key: str) -> NamedClasses:
    inner = classes_of(content[key]) if isinstance(content[key], list) else _of_mapping(content[key])
    ignored = next((whole(content[one]) for one in _IGNORE if content.get(one) is not None), None)
    colors = inner.colors
    listed = content.get("segmentation_colors")
    if listed:
        if not isinstance(listed, list) or len(listed) != len(inner.by_value):
            raise Unread("it has not as many colours as names")
        colors = dict(zip(map(_color, listed), inner.by_value, strict=True))
    return NamedClasses(names=inner.names, listed=inner.listed, colors=colors, ignore_value=ignored)


def _of_list(entries: Sequence[Any]) -> NamedClasses:
    if all(isinstance(entry, str) for entry in entries):
        return NamedClasses(listed=in_order(entries))
    if not all(isinstance(entry, dict) for entry in entries):
        raise Unread("it is a list neither of names nor of objects")
    names = [_first(entry, _NAMES) for entry in entries]
    ids = [_first(entry, _IDS) for entry in entries]
    shades = [_first(entry, _COLORS) for entry in entries]
    if any(number is None for number in ids):
        listed = in_order(names)
        values = list(range(first_value(listed), len(listed) + 1))
        return NamedClasses(listed=listed, colors=_table(shades, values))
    found = with_ids(zip(ids, names, strict=True))
    return NamedClasses(names=found, colors=_table(shades, [whole(number) for number in ids]))


def _of_mapping(content: Mapping[str, Any]) -> NamedClasses:
    """Names by id, ids by name, or colours by name."""
    if not content:
        raise Unread("there are no classes in it")
    if all(key.strip().isdigit() for key in content):
        shades = [_first(one, _COLORS) if isinstance(one, dict) else None for one in content.values()]
        names = [_first(one, _NAMES) if isinstance(one, dict) else one for one in content.values()]
        found = with_ids(zip(content, names, strict=True))
        return NamedClasses(names=found, colors=_table(shades, [whole(key) for key in content]))
    if all(_is_color(value) for value in content.values()):
        listed = in_order(list(content))
        values = range(first_value(listed), len(listed) + 1)
        return NamedClasses(listed=listed, colors=_table(list(content.values()), list(values)))
    if all(isinstance(value, int | str) for value in content.values()):
        return NamedClasses(names=with_ids((value, checked_name(key)) for key, value in content.items()))
    raise Unread("it says neither names by id nor ids by name")


def _table(shades: Sequence[Any], values: Sequence[int]) -> dict[Color, int]:
    """Values by colour, of those that have one."""
    return {_color(shade): value for shade, value in zip(shades, values, strict=False) if shade is not None}


def _first(entry: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _is_color(value: object) -> bool:
    return (isinstance(value, list) and len(value) == _CHANNELS) or (
        isinstance(value, str) and value.startswith("#")
    )


def _color(parts: object) -> Color:
    """A colour given as three numbers or as #rrggbb; raises Unread."""
    if isinstance(parts, str):
        try:
            red, green, blue = bytes.fromhex(parts.removeprefix("#"))
        except ValueError as error:
            raise Unread(f"{parts[:20]!r} is no colour") from error
        return red, green, blue
    if not isinstance(parts, list) or len(parts) not in (_CHANNELS, _CHANNELS + 1):
        raise Unread(f"{str(parts)[:20]!r} is no colour")
    red, green, blue = (whole(part) for part in parts[:_CHANNELS])
    return red, green, blue
