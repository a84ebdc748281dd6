"""The splits that a client lists by name."""

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Protocol

from workers.ingest.problems import ProblemLog, shown

NAMES_SHOWN = 20
"""Names that one problem lists."""


class Named(Protocol):
    """A sample, and the file of the upload that it comes from."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...


def listed(samples: Iterable[Named], lists: Mapping[str, list[str]], log: ProblemLog) -> dict[str, str]:
    """The split of each sample that a list names, by the sample's name.

    An entry is a sample's name, its file's path, or the last part of either, with or without the ending.
    Logs an error for entries that name no sample, several samples, or a sample of another list.
    """
    exact, loose = _keys(samples)
    splits: dict[str, str] = {}
    unknown, ambiguous, twice = [], [], []
    for split, entries in lists.items():
        for entry in entries:
            key = unicodedata.normalize("NFC", entry)
            found = exact.get(key) or loose.get(key) or set()
            if not found:
                unknown.append(entry)
            elif len(found) > 1:
                ambiguous.append(entry)
            elif splits.setdefault(name := next(iter(found)), split) != split:
                twice.append(name)
    _complain(log, "split_unknown_name", unknown, "name no image of the upload")
    _complain(log, "split_ambiguous_name", ambiguous, "name several images; give their folders too")
    _complain(log, "split_listed_twice", twice, "are listed for two splits")
    return splits


def _keys(samples: Iterable[Named]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Names of samples by all that may stand for them: in full, and by the last part alone."""
    exact: dict[str, set[str]] = {}
    loose: dict[str, set[str]] = {}
    for sample in samples:
        path = PurePosixPath(unicodedata.normalize("NFC", sample.file))
        name = PurePosixPath(unicodedata.normalize("NFC", sample.name))
        for key in {str(name), str(path), str(path.with_suffix(""))}:
            exact.setdefault(key, set()).add(sample.name)
        for key in {name.name, path.name, path.stem}:
            loose.setdefault(key, set()).add(sample.name)
    return exact, loose


def _complain(log: ProblemLog, code: str, names: list[str], what: str) -> None:
    if names:
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        quoted = ", ".join(shown(name) for name in names[:NAMES_SHOWN])
        log.error(
            code,
            None,
            f"{len(names)} name(s) in `splits` {what}: {quoted}{more}.",
            "Correct `splits` and send the set again.",
        )
