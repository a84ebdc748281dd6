"""Files that are called as lists of splits and are of no kind that is read: `split.xlsx`, `train_ids.npy`."""

from collections.abc import Iterable

from workers.ingest.archive import Member
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.lists.list_rows import known_split
from workers.ingest.splits.lists.list_tables import is_of_all
from workers.ingest.splits.questions import ask_unused_lists

_ENDINGS = frozenset(
    (
        ".xlsx", ".xls", ".ods", ".npy", ".npz", ".mat", ".pkl", ".pickle", ".pt", ".pth", ".joblib", ".h5",
        ".hdf5", ".parquet", ".feather", ".db", ".sqlite",
    )
)  # fmt: skip
_LARGEST = 1 << 20
"""Bytes of such a file; larger ones are data, not lists."""


def ask_unread_lists(members: Iterable[Member], log: ProblemLog) -> None:
    """Ask what to do where nothing that is read tells splits, and such a file may."""
    unread = sorted(member.path for member in members if _may_tell(member))
    if unread:
        fault = "It is of a kind that is not read; save it as CSV or text."
        ask_unused_lists(dict.fromkeys(unread, fault), [], tells_train=False, log=log)


def _may_tell(member: Member) -> bool:
    if ending_of(member.path) not in _ENDINGS or member.size > _LARGEST:
        return False
    return known_split(stem_of(member.path)) is not None or is_of_all(member.path)
