"""Which pictures of an upload are its images, and what they are called in the set."""

import posixpath
from collections import Counter
from collections.abc import Sequence

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.paths.layout import PICTURES, common_folders
from workers.ingest.paths.patterns import matching
from workers.ingest.paths.words import ending_of
from workers.ingest.problems import Refused, shown


def chosen_images(source: Source, pattern: str | None) -> list[Member]:
    """The pictures, by path; those alone that fit the pattern, raises Refused where none does."""
    found = [member for member in source.members if ending_of(member.path) in PICTURES]
    if pattern is None:
        return found
    fitting = matching(pattern, [member.path for member in found])
    if not fitting:
        raise Refused(
            "pattern_unmatched",
            f"No picture fits the option `images`: {shown(pattern)!r}. There are {len(found)}"
            f"{f', such as {shown(found[0].path)}' if found else ''}.",
            "Patterns are compared with paths from any folder downwards, folder by folder: `images/*`.",
        )
    return [member for member in found if member.path in fitting]


def item_names(paths: Sequence[str]) -> dict[str, str]:
    """A name for each path: without what all share at the top, and without endings where that is clear."""
    top = common_folders(paths)
    short = {path: posixpath.splitext("/".join(path.split("/")[top:]))[0] for path in paths}
    often = Counter(short.values())
    return {path: name if often[name] == 1 else path for path, name in short.items()}
