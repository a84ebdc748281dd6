"""The names of labels: which are one class, and the order of all."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from workers.ingest.paths.words import is_number, words
from workers.ingest.problems import ProblemLog, shown

_Natural = tuple[tuple[int, int, str], ...]


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """The names in the order in which a person would list them: `class 2` before `class 10`."""
    return tuple(sorted(names, key=lambda name: (_natural(name), name)))


def merged(named: Iterable[tuple[str, str | None]], log: ProblemLog) -> dict[str, str]:
    """What class each name means, given the names with the splits that they occur in.

    Names are one class that differ in case or signs alone and occur in no split together: `Cat` in train is
    `cat` in test. The more frequent spelling is kept.
    """
    splits: defaultdict[str, set[str | None]] = defaultdict(set)
    counts: defaultdict[str, int] = defaultdict(int)
    for name, split in named:
        splits[name].add(split)
        counts[name] += 1
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in splits:
        alike[words(name) or (name,)].append(name)
    meant = {name: name for name in splits}
    for group in alike.values():
        together = [split for name in group for split in splits[name]]
        if len(group) > 1 and len(set(together)) == len(together):
            kept = max(group, key=lambda name: (counts[name], name))
            meant |= dict.fromkeys(group, kept)
            log.guess(f"{', '.join(shown(name) for name in sorted(group))} are one class in several splits")
    return meant


def _natural(name: str) -> _Natural:
    return tuple((0, int(word), "") if is_number(word) else (1, 0, word) for word in words(name))
