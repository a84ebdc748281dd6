"""classes.json: the names, colours and ignored value that a client may put into an upload of masks."""

import json
from pathlib import PurePosixPath
from typing import Any

from workers.ingest.archive import Member
from workers.ingest.formats.base import Color, Source
from workers.ingest.problems import ProblemLog, Refused

CLASSES_FILE = "classes.json"
LARGEST_CLASSES_FILE = 1 << 20
"""Bytes of a classes.json that are read."""

LONGEST_CLASS_NAME = 100

Classes = tuple[dict[int, str], dict[int, Color], int | None]
"""Names and colours by mask value, and the value to ignore."""


def read_classes_file(source: Source, log: ProblemLog) -> Classes | None:
    """What the classes.json nearest to the upload's top says; None without one, or, logged, where it is
    broken."""
    named = [m for m in source.members if PurePosixPath(m.path).name.lower() == CLASSES_FILE]
    file = min(named, key=lambda member: member.path.count("/"), default=None)
    if file is None:
        return None
    try:
        return _read(source, file)
    except Refused as refusal:
        log.refused(file.path, refusal)
        return None


def _read(source: Source, file: Member) -> Classes:
    if file.size > LARGEST_CLASSES_FILE:
        raise Refused("classes_file", f"It has {file.size} bytes.", "Send a list of 255 classes at most.")
    try:
        return _parsed(json.loads(source.read(file)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused(
            "classes_file",
            f"The file of classes cannot be read: {type(error).__name__} {error}.",
            'Write it as {"classes": [{"id": 0, "name": "background"}, ...], "ignore_index": 255}, '
            "with different ids from 0 to 255; ignore_index may be left out.",
        ) from error


def _parsed(data: Any) -> Classes:
    """Raises ValueError, TypeError or KeyError for what is no classes.json."""
    names: dict[int, str] = {}
    colors: dict[int, Color] = {}
    for entry in data["classes"]:
        value, name = _whole(entry["id"]), entry["name"]
        if value in names:
            raise ValueError(f"id {value} occurs twice")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_CLASS_NAME:
            raise ValueError(f"name of id {value}: 1 to {LONGEST_CLASS_NAME} characters")
        names[value] = name
        if entry.get("color") is not None:
            red, green, blue = (_whole(part) for part in entry["color"])
            colors[value] = (red, green, blue)
    if not names:
        raise ValueError("there are no classes in it")
    ignore = data.get("ignore_index")
    return names, colors, None if ignore is None else _whole(ignore)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 to 255")
    return value
