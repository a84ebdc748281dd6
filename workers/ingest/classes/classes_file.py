"""Files beside masks that name classes: classes.json, nnU-Net's dataset.json, lists such as labels.txt.

Of each form there is one parser; a file of another form is left out with a warning.
"""

import json
import posixpath
from collections.abc import Callable

from workers.ingest.archive import Member
from workers.ingest.classes.class_json import classes_of, classes_of_dataset
from workers.ingest.classes.class_lists import (
    classes_of_csv,
    classes_of_pbtxt,
    classes_of_table,
    classes_of_text,
)
from workers.ingest.classes.named_classes import NamedClasses, Unread
from workers.ingest.items import Source
from workers.ingest.problems import ProblemLog, Refused

LARGEST_CLASSES_FILE = 1 << 20
"""Bytes of such a file that are read."""

Parse = Callable[[str], NamedClasses | None]


def _json(parse: Callable[[object], NamedClasses | None]) -> Parse:
    def parsed(text: str) -> NamedClasses | None:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unread("it is no JSON") from error
        return parse(content)

    return parsed


_PARSERS: dict[str, Parse] = {
    "classes.json": _json(classes_of),
    "dataset_meta.json": _json(classes_of),
    "dataset.json": _json(classes_of_dataset),
    "labels.json": _json(classes_of),
    "class_names.json": _json(classes_of),
    "label_names.json": _json(classes_of),
    "id2label.json": _json(classes_of),
    "label_map.json": _json(classes_of),
    "_classes.csv": classes_of_csv,
    "classes.csv": classes_of_table,
    "class_names.csv": classes_of_table,
    "labels.csv": classes_of_table,
    "label_map.pbtxt": classes_of_pbtxt,
    "labelmap.pbtxt": classes_of_pbtxt,
    "class_names.txt": classes_of_text,
    "classes.txt": classes_of_text,
    "class.txt": classes_of_text,
    "labels.txt": classes_of_text,
    "label.txt": classes_of_text,
    "label_names.txt": classes_of_text,
    "codes.txt": classes_of_text,
    "names.txt": classes_of_text,
}
"""The files by name, in the order in which they are asked; none if a file of the name is something else."""


def read_classes_file(source: Source, log: ProblemLog) -> tuple[NamedClasses, str] | None:
    """What the first of these files says, that nearest to the upload's top, and its path; None without one.

    A file that cannot be read is left out with a warning.
    """
    nearest: dict[str, Member] = {}
    for member in source.members:
        name = posixpath.basename(member.path).casefold()
        if name in _PARSERS and (name not in nearest or _depth(member) < _depth(nearest[name])):
            nearest[name] = member
    for name, parse in _PARSERS.items():
        if name in nearest:
            found = _read(source, nearest[name], parse, log)
            if found is not None:
                return found, nearest[name].path
    return None


def _depth(member: Member) -> tuple[int, str]:
    return member.path.count("/"), member.path


def _read(source: Source, file: Member, parse: Parse, log: ProblemLog) -> NamedClasses | None:
    try:
        if file.size > LARGEST_CLASSES_FILE:
            raise Unread(f"it has {file.size} bytes, at most {LARGEST_CLASSES_FILE} are read")
        return parse(source.read(file).decode("utf-8-sig"))
    except UnicodeDecodeError:
        what = "it is no UTF-8 text"
    except Unread as unread:
        what = str(unread)
    except Refused as refusal:
        what = refusal.message
    log.warning(
        "classes_file",
        file.path,
        f"The file is not read as names of classes, and is left out: {what.rstrip('.')}.",
        'Write it as {"classes": [{"id": 0, "name": "background"}, ...]}, with different ids from 0 to 255, '
        "or as one name a line; or name the classes in the option `classes`.",
    )
    return None
