"""Reads the rows of files that list images: text, CSV or JSON, whatever their columns mean."""

import csv
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.split_words import joined_split_name, split_name
from workers.ingest.paths.words import words

Row = list[str]
"""The cells of a line; those of JSON are an image and, if it is there, a mask."""

IMAGE_HEADS = frozenset((
    "image", "images", "img", "file", "filename", "path", "name", "id", "input", "rgb", "photo", "picture",
    "bild", "bilder", "datei", "foto", "imagen", "imagem", "immagine", "fichier", "archivo", "изображение",
    "图像", "图片", "原图", "影像", "画像", "이미지",
))  # fmt: skip
MASK_HEADS = frozenset((
    "mask", "masks", "label", "labels", "seg", "segmentation", "gt", "target", "annotation", "groundtruth",
    "maske", "masken", "masque", "máscara", "mascara", "maschera", "маска", "掩码", "掩膜", "标签", "标注",
    "マスク", "마스크",
))  # fmt: skip
SPLIT_HEADS = frozenset(("split", "set", "subset", "phase", "partition", "usage"))
"""Words of the headings of columns."""

OBJECT_HEADS = frozenset(("box", "bbox", "xmin", "rle", "encoded", "iscrowd"))
"""Words of headings in tables of objects: a mask there is that of one object, not its image's."""

_DELIMITERS = "\t;,|"
_ENDINGS = "|".join(sorted(ending[1:] for ending in PICTURES))
_BETWEEN_PATHS = re.compile(rf"(?<=\.)({_ENDINGS})[\"']?[\s,;|]+", re.IGNORECASE)


def heading_words(cell: str) -> set[str]:
    """The words of a column's heading: of `sat_image_path` they are three, of `ImageID` two."""
    return set(words(cell))


def text_rows(text: str) -> list[Row]:
    """The cells of each line that is not empty.

    They are parted by the tab, semicolon, comma or bar that all lines have; else by spaces behind a
    picture's ending, or between words that are all paths, since names may have spaces.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for delimiter in _DELIMITERS:
        if lines and all(delimiter in line for line in lines):
            try:
                rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
            except csv.Error:
                continue
            return [[cell.strip() for cell in row] for row in rows]
    return [_spaced(line.strip()) for line in lines]


def _spaced(line: str) -> Row:
    cells = [cell for cell in _BETWEEN_PATHS.sub(r"\1\n", line).split("\n") if cell]
    words = line.split()
    has_ending = posixpath.splitext(line)[1].casefold() in PICTURES
    if len(cells) > 1 or has_ending or not all("/" in word or "\\" in word for word in words):
        return cells
    return words


def json_rows(document: object) -> dict[str, list[Row]] | list[Row]:
    """The rows of a JSON document: by split where it says so, else all; none where it lists no files.

    Read are a list of names, or of objects with an image and a mask, `{"train": [...], "val": [...]}`,
    `{"a.png": "train"}`, and a list of objects with a split. A split may be a number, which is then its key:
    `{"0": [...], "1": [...]}`.
    """
    if isinstance(document, dict):
        return _of_mapping(document)
    if not isinstance(document, list):
        return []
    by_split: dict[str, list[Row]] = {}
    for entry in document:
        split = _split_of(entry)
        if split is not None:
            by_split.setdefault(split, []).extend(cells_of(entry))
    return by_split or [row for entry in document for row in cells_of(entry)]


def _of_mapping(document: Mapping[str, object]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    numbers = {key: value for key, value in document.items() if isinstance(value, int)}
    if len(numbers) == len(document):
        for key, number in numbers.items():
            found.setdefault(str(int(number)), []).append([key])
        return found
    for key, value in document.items():
        split = known_split(key) or (key if key.isdecimal() else None)
        if isinstance(value, list) and split:
            found.setdefault(split, []).extend(row for entry in value for row in cells_of(entry))
        elif isinstance(value, str) and (split := known_split(value)):
            found.setdefault(split, []).append([key])
    return found


def cells_of(entry: object) -> Iterator[Row]:
    """The cells of an entry of JSON: the name of an image, and of its mask if it has one."""
    if isinstance(entry, str):
        yield [entry]
    elif isinstance(entry, int) and not isinstance(entry, bool):
        yield [str(entry)]
    elif isinstance(entry, dict):
        texts = {key: value for key, value in entry.items() if isinstance(value, str)}
        masks = _named(texts, MASK_HEADS)
        images = [value for value in _named(texts, IMAGE_HEADS) if value not in masks]
        if images:
            yield [images[0], *masks[:1]]


def _named(texts: Mapping[str, str], words: Iterable[str]) -> list[str]:
    return [value for key, value in texts.items() if heading_words(key) & set(words)]


def _split_of(entry: object) -> str | None:
    if not isinstance(entry, dict):
        return None
    told = [value for key, value in entry.items() if heading_words(key) & SPLIT_HEADS]
    if len(told) == 1 and isinstance(told[0], int):
        return str(int(told[0]))
    return known_split(told[0]) if len(told) == 1 and isinstance(told[0], str) else None


def known_split(name: str) -> str | None:
    """The split that a name tells which has no word of another meaning; `eval` is val."""
    named = split_name(name)
    if named is None or not named.known:
        return None
    return "val" if named.split == "eval" else named.split


def likely_split(name: str) -> str | None:
    """As `known_split`, of a name with words of any meaning beside that of the split, or with a split in a
    word: `kvasir_test`, `pets_te`. It tells a split where what the file lists are pictures of the upload."""
    named = joined_split_name(name)
    if named is None:
        return None
    return "val" if named.split == "eval" else named.split


def doubtful_words(name: str) -> tuple[str, ...]:
    """The other words of a name that tells a split by two letters, or in a word, and may mean something else:
    those of `pets_te` and `latest`; none of other names."""
    named = joined_split_name(name)
    return named.shape if named is not None and named.short and not named.known else ()


def names_in(document: object, most: int) -> list[str]:
    """The first `most` texts of the lists that an object of JSON has, whatever their keys mean."""
    lists = document.values() if isinstance(document, dict) else ()
    texts = (text for value in lists if isinstance(value, list) for text in value if isinstance(text, str))
    return list(islice(texts, most))
