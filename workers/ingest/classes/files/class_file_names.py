"""Which files of an upload may name classes, by what they are called."""

import posixpath
import re
import unicodedata
from collections.abc import Callable

from workers.ingest.classes.class_words import CLASS_WORDS, LIST_WORDS
from workers.ingest.classes.files.class_documents import parsed_json, parsed_yaml
from workers.ingest.classes.files.class_json import classes_in, classes_of, classes_of_dataset
from workers.ingest.classes.files.class_lists import (
    classes_of_color_table,
    classes_of_csv,
    classes_of_pbtxt,
    classes_of_text,
)
from workers.ingest.classes.files.class_markup import parsed_ini, parsed_toml, parsed_xml
from workers.ingest.classes.files.class_tables import classes_of_table
from workers.ingest.classes.files.markdown_lists import classes_of_markdown, classes_of_markdown_table
from workers.ingest.classes.named_classes import NamedClasses

Parse = Callable[[str], NamedClasses | None]
"""What a file's text says of classes; None where the file is about something else. Raises Unread."""


def _of(document: Callable[[str], object], parse: Callable[[object], NamedClasses | None]) -> Parse:
    return lambda text: parse(document(text))


_KNOWN: dict[str, Parse] = {
    "classes.json": _of(parsed_json, classes_of),
    "dataset_meta.json": _of(parsed_json, classes_of),
    "dataset.json": _of(parsed_json, classes_of_dataset),
    "labels.json": _of(parsed_json, classes_of),
    "class_names.json": _of(parsed_json, classes_of),
    "label_names.json": _of(parsed_json, classes_of),
    "id2label.json": _of(parsed_json, classes_of),
    "label_map.json": _of(parsed_json, classes_of),
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
"""Files by name, in the order in which they count; none if a file of the name is something else."""

_WORDS = rf"(?:{'|'.join(CLASS_WORDS)})"
_MORE = rf"(?:{'|'.join(LIST_WORDS)})"
_CALLED = re.compile(rf"{_WORDS}(?:[\W_]*(?:{_WORDS}|{_MORE}))*", re.IGNORECASE)
_LIST_FIRST = re.compile(rf"{_MORE}(?:[\W_]+{_MORE})*[\W_]+{_WORDS}", re.IGNORECASE)
"""`liste_des_classes`; of `list.txt` and `names.txt` alone it is not said what they list."""
_COLORS = re.compile(r"(?:label_colors|colormap)\.txt|class_dict\w*\.csv|.*class_dict\.csv", re.IGNORECASE)
_PARSERS: dict[str, Parse] = {
    ".json": _of(parsed_json, classes_of),
    ".yaml": _of(parsed_yaml, classes_of),
    ".yml": _of(parsed_yaml, classes_of),
    ".txt": classes_of_text,
    ".csv": classes_of_table,
    ".tsv": classes_of_table,
    ".md": classes_of_markdown,
    ".names": classes_of_text,
    ".pbtxt": classes_of_pbtxt,
    ".ini": _of(parsed_ini, classes_of),
    ".cfg": _of(parsed_ini, classes_of),
    ".toml": _of(parsed_toml, classes_of),
    ".xml": _of(parsed_xml, classes_of),
}
_ABOUT_SETS: dict[str, Parse] = {
    ".json": _of(parsed_json, classes_in),
    ".yaml": _of(parsed_yaml, classes_in),
    ".yml": _of(parsed_yaml, classes_in),
    ".md": classes_of_markdown_table,
    ".toml": _of(parsed_toml, classes_in),
}


def rank_and_parser(path: str) -> tuple[int, Parse, bool] | None:
    """The place of a file among those that may name classes, what reads it, and whether its name says that it
    names classes; None for a file that does not, by its name."""
    name = unicodedata.normalize("NFC", posixpath.basename(path)).casefold()
    if name in _KNOWN:
        return list(_KNOWN).index(name), _KNOWN[name], True
    stem, ending = posixpath.splitext(name)
    if _COLORS.fullmatch(name):
        return len(_KNOWN) + 1, classes_of_color_table, True
    if ending == ".names" or (ending in _PARSERS and _is_called_so(stem)):
        return len(_KNOWN), _PARSERS[ending], True
    if ending in _ABOUT_SETS and not any(character.isdigit() for character in stem):
        return len(_KNOWN) + 2, _ABOUT_SETS[ending], False
    return None


def _is_called_so(stem: str) -> bool:
    return (_CALLED.fullmatch(stem) or _LIST_FIRST.fullmatch(stem)) is not None
