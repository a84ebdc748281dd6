"""Chooses among folders that hold pictures of the same names, for all names alike.

Originals, smaller copies and drawings of a set often lie beside its images under the same names. Where a
citation does not decide between folders, one is taken for all; where the pictures differ, it is asked which.
"""

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workers.ingest.archive import Member
from workers.ingest.formats.annotations.folder_kinds import FolderKinds, shared_parts
from workers.ingest.formats.annotations.split_names import file_split
from workers.ingest.items import Read
from workers.ingest.problems import Offer, ProblemLog, Refused, shown
from workers.ingest.question_previews import Example, preview

_COMPARED = 8
"""Pairs of copies of equal size whose bytes are compared, too."""


@dataclass
class _Tie:
    """Names that lie in the same folders; `chosen` holds the members taken, `rivals` the others by folder."""

    chosen: list[Member] = field(default_factory=list)
    rivals: dict[str, list[Member]] = field(default_factory=dict)


class ImageFolders:
    """Settles which of several folders the referenced pictures are taken from."""

    def __init__(self, members: Iterable[Member], kinds: FolderKinds, read: Read) -> None:
        """`members` are the pictures that can be referenced, `read` is to compare copies."""
        self._kinds = kinds
        self._read = read
        self._sizes = Counter(posixpath.dirname(member.path) for member in members)
        self._ties: dict[tuple[str, ...], _Tie] = {}
        self._alone: Counter[str] = Counter()
        self._ranks: dict[str, tuple[int, bool, str]] = {}

    def expect(self, found: Iterable[Sequence[Member]]) -> None:
        """Let a folder count by the names that are referenced, of each the members, and not by all that it
        has."""
        self._sizes = Counter(posixpath.dirname(one.path) for members in found for one in members)

    def settled(self, member: Member) -> None:
        """Note a picture that was taken without a choice."""
        self._alone[posixpath.dirname(member.path)] += 1

    def choose(self, members: Sequence[Member]) -> Member | None:
        """The one to take of pictures that fit a citation equally; None where folders do not tell."""
        folders = [posixpath.dirname(member.path) for member in members]
        labels = dict(zip(_labels(folders), members, strict=True))
        if len(labels) < len(members) or any(not label or file_split(label) for label in labels):
            return None
        order = sorted(labels, key=lambda label: self._rank(label, labels[label]))
        tie = self._ties.setdefault(tuple(order), _Tie())
        taken, *others = order
        tie.chosen.append(labels[taken])
        for label in others:
            tie.rivals.setdefault(label, []).append(labels[label])
        return labels[taken]

    def settle(self, log: ProblemLog) -> None:
        """Say from which folders pictures were taken, and ask where that is open."""
        for labels, tie in self._ties.items():
            taken, *others = labels
            more = _in_folders(taken, self._alone)
            if more and not any(_in_folders(label, self._alone) for label in others):
                log.guess(
                    f"Pictures of the same names lie in {_listed(others)}, too; those in {shown(taken)}/ are "
                    f"read, where {more} more of the referenced names lie."
                )
            elif all(self._are_copies(tie.chosen, tie.rivals[label]) for label in others):
                log.guess(f"The pictures in {shown(taken)}/ are read; {_listed(others)} has copies of them.")
            else:
                self._ask(labels, tie, log)

    def _ask(self, labels: Sequence[str], tie: _Tie, log: ProblemLog) -> None:
        members = {labels[0]: tie.chosen, **tie.rivals}
        log.ask(
            "image_folder",
            f"Annotations name {len(tie.chosen)} pictures that lie in each of the folders {_listed(labels)} "
            "and are not the same there. Which are meant?",
            [
                Offer(
                    key=f"folder_{number}",
                    text=f"The pictures in {shown(label)}/.",
                    count=len(members[label]),
                    options={"images": _pattern(label, members[label])},
                    examples=[member.path for member in members[label]],
                    draw=preview(self._read, [Example(image=one) for one in members[label]]),
                )
                for number, label in enumerate(labels, start=1)
            ],
        )

    def _rank(self, label: str, member: Member) -> tuple[int, bool, str]:
        if label not in self._ranks:
            size = _in_folders(label, self._sizes)
            self._ranks[label] = (-size, not self._kinds.is_called_images(member.path), label)
        return self._ranks[label]

    def _are_copies(self, ones: Sequence[Member], others: Sequence[Member]) -> bool:
        pairs = list(zip(ones, others, strict=True))
        if any(one.size != other.size for one, other in pairs):
            return False
        looked_at = pairs[:: -(-len(pairs) // _COMPARED)]
        try:
            return all(self._read(one) == self._read(other) for one, other in looked_at)
        except Refused:
            return False


def _labels(folders: Sequence[str]) -> list[str]:
    """What folders are called where they differ: their paths without the parts that all share."""
    split = [folder.split("/") for folder in folders]
    start = shared_parts(split)
    end = shared_parts([parts[start:][::-1] for parts in split])
    return ["/".join(parts[start : len(parts) - end]) for parts in split]


def _in_folders(label: str, counts: Mapping[str, int]) -> int:
    """The sum of what is counted of folders of that name, and of those below them."""
    return sum(count for folder, count in counts.items() if f"/{label}/" in f"/{folder}/")


def _pattern(label: str, members: Sequence[Member]) -> str:
    """The pattern of the pictures in folders of that name, or in folders below these."""
    direct = all(f"/{posixpath.dirname(member.path)}".endswith(f"/{label}") for member in members)
    return f"{label}/*" if direct else f"{label}/**/*"


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"{shown(label)}/" for label in labels)
