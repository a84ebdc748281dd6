"""Compares paths of an upload with the patterns that clients write.

Case does not count. A pattern fits where the path begins or ends with it, component by component, with `*`
and `?` within a component and `**` for any number of folders; one that names a folder fits all below it.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_ANY_FOLDERS = "**"


def matches(pattern: str, path: str) -> bool:
    """Whether the path is one that the pattern means."""
    wanted = PurePosixPath(pattern.casefold()).parts
    parts = PurePosixPath(path.casefold()).parts
    ends = (len(parts), *_folder_ends(wanted, parts))
    return any(_fits(wanted, parts[start:end]) for end in ends for start in range(end))


def _folder_ends(wanted: Sequence[str], parts: Sequence[str]) -> range:
    """Where the folders of the path end, if the pattern may be the name of one."""
    named = bool(wanted) and not any(sign in wanted[-1] for sign in "*?[")
    return range(1, len(parts)) if named else range(0)


def _fits(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the whole of the parts is what is wanted; the work is the product of their numbers."""
    reached = {0}
    for one in wanted:
        if one == _ANY_FOLDERS:
            reached = set(range(min(reached, default=len(parts) + 1), len(parts) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(parts) and fnmatchcase(parts[at], one)}
    return len(parts) in reached
