"""The splits that text files of the upload list: train.txt, val.txt, splits/test_id.txt."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from workers.ingest.archive import Member
from workers.ingest.formats.base import Source
from workers.ingest.formats.text_files import read_text
from workers.ingest.layout import SPLIT_FOLDERS
from workers.ingest.problems import ProblemLog
from workers.ingest.split_lists import Named, listed

_FILLERS = frozenset(("id", "ids", "list", "lists", "set", "split", "images", "image", "files", "names"))
_WHOLE = "trainval"
"""A list of what others list, too."""


def listed_splits(samples: Sequence[Named], source: Source, log: ProblemLog) -> dict[str, str] | None:
    """The split of each sample that is listed, by its name; None where there are no lists of these samples.

    Each line begins with a sample's name, or its file's. Lists of which an entry names no sample are of
    something else, which a warning says. Raises Refused for a list that is no text.
    """
    files = {split: member for member in source.members if (split := _split(member)) is not None}
    if "train" not in files or len(files) == 1:
        return None
    lists = {split: _entries(read_text(source, member)) for split, member in files.items()}
    if not all(lists.values()):
        return None
    objections = ProblemLog()
    splits = listed(samples, lists, objections)
    if objections.has_errors:
        log.warning(
            "split_lists_unused",
            files["train"].path,
            f"The lists of splits are not used: {objections.problems()[0].message}",
            "Nothing, if they are of something else; else mend them, or send `splits`.",
        )
        return None
    return splits


def _split(member: Member) -> str | None:
    path = PurePosixPath(member.path.casefold())
    words = [word for word in re.split(r"[\s_.-]+", path.stem) if word not in _FILLERS]
    is_list = path.suffix == ".txt" and len(words) == 1 and words[0] != _WHOLE
    return SPLIT_FOLDERS.get(words[0]) if is_list else None


def _entries(text: str) -> list[str]:
    return [parts[0] for line in text.splitlines() if (parts := line.split(maxsplit=1))]
