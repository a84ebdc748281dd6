"""The versions of a data set, newest first, with what each has that the one before it had not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trainyard.datasets.record import Dataset, DatasetVersion


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """A version, whether it is the one in use, and in words what differs from the one before."""

    version: DatasetVersion
    is_used: bool
    differences: tuple[str, ...]


def version_rows(dataset: Dataset) -> list[VersionRow]:
    """Those of a record that has several."""
    versions = sorted(dataset.versions, key=lambda one: one.version)
    before = (None, *versions[:-1])
    rows = [
        VersionRow(
            version=one,
            is_used=one.version == dataset.version,
            differences=("the first",) if last is None else tuple(_differences(last, one)),
        )
        for last, one in zip(before, versions, strict=True)
    ]
    return rows[::-1]


def _differences(before: DatasetVersion, after: DatasetVersion) -> Iterator[str]:
    said = False
    for words in (*_counts(before, after), *_map(before, after)):
        said = True
        yield words
    if not said:
        yield "the same images and splits: their annotations or pixels differ"


def _counts(before: DatasetVersion, after: DatasetVersion) -> Iterator[str]:
    if before.images != after.images:
        yield f"{after.images} images instead of {before.images} ({after.images - before.images:+d})"
    for split in dict.fromkeys((*before.splits, *after.splits)):
        was, now = before.splits.get(split, 0), after.splits.get(split, 0)
        if was != now:
            yield f"{split} {now} instead of {was}"


def _map(before: DatasetVersion, after: DatasetVersion) -> Iterator[str]:
    was, now = before.label_map or {}, after.label_map or {}
    for value in sorted({*was, *now}):
        if was.get(value, value) != now.get(value, value):
            yield f"value {value} is {_told(now, value)} instead of {_told(was, value)}"


def _told(label_map: Mapping[int, int | None], value: int) -> str:
    found = label_map.get(value, value)
    return "ignored" if found is None else f"class {found}"
