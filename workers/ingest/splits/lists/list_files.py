"""Finds the files of an upload that list its images, and reads which image, mask and split each row names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.paths.index import PathIndex
from workers.ingest.paths.split_words import split_name
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import Refused
from workers.ingest.splits.lists.fold_names import (
    MOST_FOLDS,
    fold_of_cell,
    fold_of_path,
    tells_folds,
    without_fold,
)
from workers.ingest.splits.lists.fold_rows import folds_of_entries, rows_of_folds
from workers.ingest.splits.lists.list_rows import (
    Row,
    doubtful_words,
    json_rows,
    known_split,
    likely_split,
    names_in,
    text_rows,
)
from workers.ingest.splits.lists.list_tables import NUMBERED, TRIED, entry_of, is_of_all, of_table
from workers.ingest.splits.lists.listing import Listing
from workers.ingest.splits.lists.split_flags import are_numbers, parted_last
from workers.ingest.text.plain_yaml import text_keyed_document
from workers.ingest.text.text_files import MAX_BYTES, read_list
from workers.ingest.text.typed_json import parse_json

MAX_FILES = 100
"""Files that are read as lists, those nearest to the top."""

MAX_JSON_LIST = 4 << 20
"""Bytes of a JSON file that is read as a list; larger ones are annotations."""

_TABLES = (".csv", ".tsv")
_TEXTS = (".txt", ".lst", ".list", "", *_TABLES)
"""Endings of lists; a file without one is looked at where its whole name is that of a split."""
_OF_JSON = (".json", ".jsonl", ".ndjson")
_OF_PAIRS = (".txt", ".lst", ".list", *_OF_JSON)
_MOST_OF_PAIRS = 20
_WORD = re.compile(r"[^\s\[\]{},:'\"&*]+")
_DOCUMENTS = (".json", ".yaml", ".yml")
_OF_SPLITS = re.compile(r"split|partition")
"""A file called so is of nothing else."""
_KNOWN = ("train", "val", "test")
_VOC_OTHERS = frozenset(("main", "layout", "action"))
"""Folders of VOC's lists that are not of segmentation."""


def listings(source: Source, index: PathIndex) -> list[Listing]:
    """The lists of an upload, by path; `index` has the pictures that they may name."""
    found = []
    for member in _candidates(source.members, index):
        stem = stem_of(member.path)
        try:
            listing = _listing(source, member, index)
        except Refused as refusal:
            is_of_splits = known_split(stem) or _OF_SPLITS.search(stem.casefold()) or tells_folds(member.path)
            listing = Listing(member.path, [], fault=refusal.message if is_of_splits else "")
        if listing.entries or listing.fault:
            named = split_name(stem)
            found.append(replace(listing, whole=named is not None and named.whole))
    return sorted(found, key=lambda one: one.path)


def pair_listings(source: Source, index: PathIndex) -> list[Listing]:
    """The files of any other name whose rows name two pictures, by path: text, JSON and lines of JSON."""
    found = []
    others = [one for one in source.members if ending_of(one.path) in _OF_PAIRS and not _may_list(one)]
    others = [one for one in others if 0 < one.size <= MAX_JSON_LIST]
    others = [one for one in others if not index.find(stem_of(one.path), one.path)]
    for member in sorted(others, key=lambda one: (one.path.count("/"), one.path))[:_MOST_OF_PAIRS]:
        try:
            listing = _pairs_of(read_list(source, member, index.paths), index, member.path)
        except Refused:
            continue
        if any(entry.mask is not None for entry in listing.entries):
            found.append(listing)
    return sorted(found, key=lambda one: one.path)


def _pairs_of(text: str, index: PathIndex, path: str) -> Listing:
    """The pairs that a file lists; raises Refused."""
    ending = ending_of(path)
    if ending not in _OF_JSON:
        return of_table(_parted_numbers(text_rows(text)), None, False, index, path)
    lines = [line for line in text.splitlines() if line.strip()] if ending != ".json" else [text]
    documents = [parse_json(line.encode()) for line in lines]
    found = json_rows(documents if ending != ".json" else documents[0])
    rows = [row for some in found.values() for row in some] if isinstance(found, dict) else found
    return Listing(path, [entry_of(row, 0, 1, None) for row in rows])


def _parted_numbers(rows: list[Row]) -> list[Row]:
    """Lines of two numbers as rows of two cells; other lines with a space may be names that have one."""
    parted = [row[0].split() if len(row) == 1 else row for row in rows]
    are_pairs = all(len(row) == 2 and row[0].isdecimal() and row[1].isdecimal() for row in parted)
    return parted if are_pairs else rows


def _candidates(members: Iterable[Member], index: PathIndex) -> list[Member]:
    """The files that may be lists; those that have a picture's name are its labels."""
    may_list = [member for member in members if _may_list(member)]
    found = [member for member in may_list if not index.find(stem_of(member.path), member.path)]
    if any(member.folder == "segmentation" for member in found):
        found = [member for member in found if member.folder not in _VOC_OTHERS]
    return sorted(found, key=lambda one: (one.path.count("/"), one.path))[:MAX_FILES]


def _may_list(member: Member) -> bool:
    ending = ending_of(member.path)
    if ending in _TABLES:
        return 0 < member.size <= MAX_BYTES
    largest = MAX_JSON_LIST if ending in _DOCUMENTS else MAX_BYTES if ending in _TEXTS else 0
    if not 0 < member.size <= largest:
        return False
    if not ending:
        return known_split(stem_of(member.path)) is not None
    return bool(likely_split(stem_of(member.path)) or is_of_all(member.path) or tells_folds(member.path))


def _listing(source: Source, member: Member, index: PathIndex) -> Listing:
    """What the rows of a file name; no entries where it lists no images. Raises Refused."""
    path, fold = member.path, fold_of_path(member.path)
    stem = stem_of(path) if fold is None else without_fold(stem_of(path))
    split = known_split(stem) or (None if is_of_all(path) else likely_split(stem))
    doubtful = doubtful_words(stem) if split else ()
    text = read_list(source, member, index.paths)
    found = _of_text(text, None if doubtful else split, fold is not None, index, path)
    if doubtful and not found.tells_splits:
        found = replace(_of_text(text, split, fold is not None, index, path), doubtful=doubtful)
    if split and not known_split(stem) and not _lists_pictures(found, index):
        return Listing(path, [])  # it is of something else, and its name no split's
    if fold is None or found.tells_folds:
        return found
    return replace(found, entries=[replace(entry, fold=fold) for entry in found.entries], per_fold=True)


def _of_text(text: str, split: str | None, of_fold: bool, index: PathIndex, path: str) -> Listing:
    """What a file names of which the name tells a split, or not, and perhaps a fold. Raises Refused."""
    if ending_of(path) not in _DOCUMENTS:
        rows = text_rows(text)
        return of_table(rows if split or of_fold else parted_last(rows), split, of_fold, index, path)
    try:
        document = _document(text, path)
    except Refused:
        # A broken `train.yaml` is a configuration far more often than a list, unless it names pictures.
        if ending_of(path) == ".json" or _names_a_picture(text, index, path):
            raise
        return Listing(path, [])
    found = _of_json(document, split, path)
    names = [] if found.entries or found.fault else names_in(document, TRIED)
    if 2 * sum(bool(index.find_first(name, path)) for name in names) > len(names):
        return replace(found, fault="It lists pictures, and its keys are no splits.")
    return found


def _names_a_picture(text: str, index: PathIndex, path: str) -> bool:
    return any(index.find_first(word, path) for word in _WORD.findall(text)[:TRIED])


def _document(text: str, path: str) -> object:
    """What a JSON or YAML file holds; raises Refused."""
    if ending_of(path) == ".json":
        return parse_json(text.encode())
    try:
        return text_keyed_document(text)
    except (ValueError, RecursionError) as error:
        raise Refused("yaml_broken", "The file is no YAML.", "Write it as JSON or text.") from error


def _lists_pictures(found: Listing, index: PathIndex) -> bool:
    """Whether half of what a list names, or more, are pictures of the upload."""
    tried = found.entries[:TRIED]
    hits = sum(bool(index.find_first(entry.image, found.path)) for entry in tried)
    return 2 * hits >= len(tried) > 0


def _of_json(document: object, split: str | None, path: str) -> Listing:
    """The entries by fold or by split; of numbers that stand for splits as in a table."""
    folds = rows_of_folds(document, called_so=tells_folds(path))
    if folds:
        return Listing(path, [entry_of(row.cells, 0, 1, row.split, row.fold) for row in folds], per_fold=True)
    found = json_rows(document)
    rows: Mapping[str | None, list[Row]] = dict(found.items()) if isinstance(found, dict) else {split: found}
    numbers = {key for key in rows if key is not None and key not in _KNOWN}
    if numbers == NUMBERED.keys():
        rows, numbers = {NUMBERED[key or ""]: some for key, some in rows.items()}, set()
    if numbers and not are_numbers(numbers):
        return _numbered_folds(rows, path)
    fold_of = folds_of_entries(document)
    entries = [entry_of(row, 0, 1, part, fold_of.get(row[0])) for part, some in rows.items() for row in some]
    return Listing(path, entries, numbers=tuple(sorted(numbers, key=int)))


def _numbered_folds(rows: Mapping[str | None, list[Row]], path: str) -> Listing:
    """The entries of more numbers than there are splits."""
    if len(rows) > MOST_FOLDS:
        return Listing(path, [], fault=f"It parts the images by {len(rows)} numbers.")
    told = [(row, fold_of_cell(part or "")) for part, some in rows.items() for row in some]
    return Listing(path, [entry_of(row, 0, 1, None, fold) for row, fold in told])
