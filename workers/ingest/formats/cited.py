"""Finds the files of an upload that an annotation cites by a name or a path of the machine it was made on."""

import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from pathlib import PurePosixPath

from workers.ingest.archive import Member
from workers.ingest.layout import PICTURES
from workers.ingest.problems import ProblemLog, Refused, shown


class CitedFiles:
    """The pictures of an upload, found by what annotations call them.

    Case, Unicode form, slashes and drives do not count. Of the members of that file name, the one wins whose
    path shares the longest end with the cited path, and then the one nearest to the citing file.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._by_name: defaultdict[str, list[Member]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[Member]] = defaultdict(list)
        for member in members:
            path = PurePosixPath(_plain(member.path))
            if path.suffix in PICTURES:
                self._by_name[path.name].append(member)
                self._by_stem[path.stem].append(member)

    def find(self, cited: str, citing: str) -> Member | None:
        """The picture that the file at the path `citing` calls `cited`; None where there is none.

        Raises Refused where several could be meant.
        """
        return self._nearest(self._by_name[PurePosixPath(_plain(cited)).name], cited, citing)

    def find_stem(self, cited: str, citing: str) -> Member | None:
        """As `find`, for a path without the ending of the file's name."""
        return self._nearest(self._by_stem[PurePosixPath(_plain(cited)).name], cited, citing)

    def report_unlisted(self, listed: Container[str], log: ProblemLog) -> None:
        """Warn of the pictures whose paths are not among those that annotations list."""
        pictures = [member.path for members in self._by_name.values() for member in members]
        unlisted = sorted(path for path in pictures if path not in listed)
        if unlisted:
            log.warning(
                "image_unlisted",
                unlisted[0],
                f"{len(unlisted)} picture(s) of the upload are in no annotation and are left out.",
                "Nothing, if they do not belong to the set; else annotate them.",
            )

    def _nearest(self, members: list[Member], cited: str, citing: str) -> Member | None:
        if not members:
            return None
        wanted, place = _folders(cited), _folders(citing)
        ranks = [
            (_common(wanted[::-1], folders[::-1]), _common(place, folders), -len(folders))
            for folders in (_folders(member.path) for member in members)
        ]
        best = max(ranks)
        if ranks.count(best) > 1:
            rivals = [shown(member.path) for member, rank in zip(members, ranks, strict=True) if rank == best]
            raise Refused(
                "image_ambiguous",
                f"{shown(cited)} could be any of {', '.join(rivals[:4])}.",
                "Give each image a name of its own, or cite it with its folder.",
            )
        return members[ranks.index(best)]


def image_missing(cited: str) -> Refused:
    """An annotation is there for an image that is not."""
    return Refused(
        "image_missing",
        f"The image {shown(cited)} is not in the upload; its annotation is left out.",
        "Add the image, or take its annotation out.",
    )


def report_missing(missing: Sequence[tuple[str, str]], found: int, log: ProblemLog) -> None:
    """Report annotation files and the images that they cite and the upload lacks.

    They are errors where they are more than the images `found`: then the upload is not what was meant.
    """
    report = log.warning if len(missing) <= found else log.error
    for file, cited in missing:
        refusal = image_missing(cited)
        report(refusal.problem_code, file, refusal.message, refusal.remedy)


def _plain(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()


def _folders(path: str) -> list[str]:
    parts = [part for part in _plain(path).split("/") if part not in ("", ".", "..")]
    return parts[:-1]


def _common(one: list[str], other: list[str]) -> int:
    """How many parts the two have in common from their start."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
