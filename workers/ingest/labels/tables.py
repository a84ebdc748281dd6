"""Reads the files of an upload that may be tables of images: CSV, TSV, text in columns, lines of JSON.

Of a JSON file it is a list of objects.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workers.ingest.formats.detections import box_files
from workers.ingest.items import Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import Refused
from workers.ingest.splits.lists.list_rows import text_rows
from workers.ingest.text.text_files import read_list
from workers.ingest.text.typed_json import parse_json

Cell = str | tuple[str, ...]
"""What a table says in one place: a text, or the texts of a list of JSON."""

MOST_TABLES = 50
"""Files that are read, those nearest to the top."""

_TEXTS = (".csv", ".tsv", ".txt", ".lst", ".list")
_LINES = (".jsonl", ".ndjson")
_LARGEST_JSON = 16 << 20
_NO_TABLE = re.compile(r"submission|partition|split", re.IGNORECASE)
"""Names of files that tell what is to be predicted, or splits."""
_TRIED = 200
"""Rows by which it is told which column names images."""


@dataclass(frozen=True)
class Table:
    """The rows of a file below their `heads`, which are the columns' places, as texts, where it has none.

    The cells of column `files` name pictures of the upload.
    """

    path: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    files: int

    def column(self, place: int) -> list[Cell]:
        """The cells of a column."""
        return [row[place] for row in self.rows]


def tables(source: Source, index: PathIndex) -> list[Table]:
    """The tables of the upload that name its pictures, of which `index` has the paths."""
    of_boxes = {one.path for files in box_files(source) for one in files}
    members = [one for one in source.members if ending_of(one.path) in (*_TEXTS, *_LINES, ".json")]
    members = [one for one in members if one.path not in of_boxes and not _NO_TABLE.search(stem_of(one.path))]
    members.sort(key=lambda one: (one.path.count("/"), one.path))
    found = []
    for member in members[:MOST_TABLES]:
        ending = ending_of(member.path)
        if ending == ".json" and member.size > _LARGEST_JSON:
            continue
        try:
            text = read_list(source, member, index.paths)
        except Refused:
            continue
        rows = _of_text(text) if ending in _TEXTS else _of_json(text, lines=ending in _LINES)
        table = _table(member.path, rows, index)
        if table is not None:
            found.append(table)
    return found


def _of_text(text: str) -> list[list[Cell]]:
    rows = [list(row) for row in text_rows(text)]
    if len({len(row) for row in rows}) > 1 or all(len(row) == 1 for row in rows):
        return _of_words(text)
    return [list[Cell](row) for row in rows]


def _of_words(text: str) -> list[list[Cell]]:
    """The words of lines that all have as many; a line of one less may stand above, as the headings of all
    columns but the first, and a number of lines above that: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html.
    """
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if lines and len(lines[0]) == 1 and lines[0][0].isdecimal():
        del lines[0]
    if len(lines) > 1 and len(lines[0]) == len(lines[1]) - 1:
        lines[0] = ["file", *lines[0]]
    return [list[Cell](line) for line in lines]


def _of_json(text: str, *, lines: bool) -> list[list[Cell]]:
    """A row for each object, below a row of all keys; none where it holds anything else."""
    try:
        parsed = _lines(text) if lines else parse_json(text.encode())
    except Refused:
        return []
    if not isinstance(parsed, list) or not all(_is_flat(one) for one in parsed):
        return []
    heads = list(dict.fromkeys(key for one in parsed for key in one))
    return [list(heads), *([_cell(one.get(head)) for head in heads] for one in parsed)]


def _is_flat(entry: object) -> bool:
    """Whether an object has texts, numbers and lists of such alone: others outline something."""
    values = entry.values() if isinstance(entry, dict) else [entry]
    nested = (one for value in values for one in (value if isinstance(value, list) else [value]))
    return isinstance(entry, dict) and not any(isinstance(one, (dict, list)) for one in nested)


def _lines(text: str) -> list[object]:
    return [parse_json(line.encode()) for line in text.splitlines() if line.strip()]


def _cell(value: object) -> Cell:
    if isinstance(value, list):
        return tuple(_text(one) for one in value)
    return _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _table(path: str, rows: list[list[Cell]], index: PathIndex) -> Table | None:
    """The table that rows are; None where they are of uneven length, or no column names pictures."""
    width = len(rows[0]) if rows else 0
    if width < 2 or any(len(row) != width for row in rows):
        return None
    names = _Names(index, path)
    tried = rows[1 : _TRIED + 1] or rows
    counts = [len({names.path_of(row[place]) for row in tried} - {None}) for place in range(width)]
    most = max(counts)  # labels that are numbers may be names of a few pictures, too
    named = [place for place, count in enumerate(counts) if count == most]
    named = [place for place in named if not _are_numbers(row[place] for row in tried)] or named
    if 2 * most < len(tried) or len(named) > 1:  # of two, one is a mask
        return None
    files = named[0]
    if names.path_of(rows[0][files]):
        return Table(path, [str(place + 1) for place in range(width)], rows, files)
    return Table(path, _told_apart([str(head).strip() for head in rows[0]]), rows[1:], files)


def _are_numbers(cells: Iterable[Cell]) -> bool:
    return all(isinstance(cell, str) and cell.isdecimal() for cell in cells)


class _Names:
    """Which pictures of the upload the cells of a table name."""

    def __init__(self, index: PathIndex, path: str) -> None:
        self._index = index
        self._path = path

    def path_of(self, cell: Cell) -> str | None:
        """The picture that a cell names; None for one that names none, or several."""
        found = self._index.find(cell, self._path).paths if isinstance(cell, str) else ()
        return found[0] if len(found) == 1 else None


def _told_apart(heads: Iterable[str]) -> list[str]:
    """The headings, those without text or with that of an earlier one called by their place."""
    found: Mapping[str, None] = {}
    for place, head in enumerate(heads, start=1):
        name = head if head and head not in found else f"{head or 'column'} {place}"
        found = {**found, name: None}
    return list(found)
