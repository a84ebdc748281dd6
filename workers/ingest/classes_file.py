"""classes.json: the names, colours and ignored value that a client may put into an upload of masks.

Datumaro and CVAT write dataset_meta.json for the same end.
"""

import json
import posixpath
from collections.abc import Callable
from typing import Any

from workers.ingest.archive import Member
from workers.ingest.formats.base import Color, Source
from workers.ingest.problems import ProblemLog, Refused

CLASSES_FILE = "classes.json"
META_FILE = "dataset_meta.json"
LARGEST_CLASSES_FILE = 1 << 20
"""Bytes of such a file that are read."""

LONGEST_CLASS_NAME = 100

Classes = tuple[dict[int, str], dict[Color, int], int | None]
"""Names by mask value, mask values by colour, and the value to ignore."""


def read_classes_file(source: Source, log: ProblemLog) -> Classes | None:
    """What the classes.json nearest to the upload's top says, else the dataset_meta.json; None without one,
    or, logged, where it is broken."""
    for name, (parse, shape) in _KINDS.items():
        named = [m for m in source.members if posixpath.basename(m.path).lower() == name]
        file = min(named, key=lambda member: member.path.count("/"), default=None)
        if file is not None:
            try:
                return _read(source, file, parse, shape)
            except Refused as refusal:
                log.refused(file.path, refusal)
                return None
    return None


def _read(source: Source, file: Member, parse: Callable[[Any], Classes], shape: str) -> Classes:
    if file.size > LARGEST_CLASSES_FILE:
        raise Refused("classes_file", f"It has {file.size} bytes.", "Send a list of 255 classes at most.")
    try:
        return parse(json.loads(source.read(file)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused(
            "classes_file",
            f"The file of classes cannot be read: {type(error).__name__} {error}.",
            f"Write it as {shape}, with different ids from 0 to 255.",
        ) from error


def _classes(data: Any) -> Classes:
    """Raises ValueError, TypeError or KeyError for what is no classes.json, as the next for its file."""
    names: dict[int, str] = {}
    colors: dict[Color, int] = {}
    for entry in data["classes"]:
        value = _whole(entry["id"])
        _add_name(names, value, entry["name"])
        if entry.get("color") is not None:
            colors[_color(entry["color"])] = value
    if not names:
        raise ValueError("there are no classes in it")
    ignore = data.get("ignore_index")
    return names, colors, None if ignore is None else _whole(ignore)


def _meta(data: Any) -> Classes:
    names: dict[int, str] = {}
    for value, name in data["label_map"].items():
        _add_name(names, _whole(int(value)), name)
    colors = data.get("segmentation_colors") or []
    if not names or len(colors) not in (0, len(names)):
        raise ValueError(f"it has {len(names)} labels and {len(colors)} colours")
    return names, dict(zip(map(_color, colors), names, strict=False)), None


_KINDS: dict[str, tuple[Callable[[Any], Classes], str]] = {
    CLASSES_FILE: (
        _classes,
        '{"classes": [{"id": 0, "name": "background"}, ...], "ignore_index": 255}, of which ignore_index may '
        "be left out",
    ),
    META_FILE: (_meta, '{"label_map": {"0": "background", ...}, "segmentation_colors": [[0, 0, 0], ...]}'),
}


def _add_name(names: dict[int, str], value: int, name: Any) -> None:
    if value in names:
        raise ValueError(f"id {value} occurs twice")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_CLASS_NAME:
        raise ValueError(f"name of id {value}: 1 to {LONGEST_CLASS_NAME} characters")
    names[value] = name


def _color(parts: Any) -> Color:
    red, green, blue = (_whole(part) for part in parts)
    return red, green, blue


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 to 255")
    return value
