"""What became of the mutants of a part."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

WANTED = 0.85
"""The share of the mutants that is to be noticed, in each part."""
NOTICED = ("killed", "timeout", "segfault")
"""A test failed, had no end, or ended the process. What no test passes through counts as not noticed."""

Mutant = TypeVar("Mutant")


@dataclass(frozen=True)
class Outcomes:
    """Of what was tried of `made` mutants: the outcome of each by its name, and how survivors differ."""

    made: int
    by_name: dict[str, str]
    differences: dict[str, str]

    @property
    def score(self) -> float:
        """The share that was noticed; 0 where nothing was tried."""
        return sum(outcome in NOTICED for outcome in self.by_name.values()) / max(1, len(self.by_name))

    def summary(self) -> str:
        """The score and what it is made of, in one line."""
        counts = ", ".join(
            f"{count} {outcome}" for outcome, count in Counter(self.by_name.values()).most_common()
        )
        return f"{self.score:.1%} of {len(self.by_name)} of {self.made} mutants were noticed ({counts})"

    def write(self, path: Path) -> None:
        """The summary and all that was not noticed, each with its difference."""
        unnoticed = {name: outcome for name, outcome in self.by_name.items() if outcome not in NOTICED}
        told = [f"{name}: {outcome}\n{self.differences.get(name, '')}" for name, outcome in unnoticed.items()]
        path.write_text("\n".join([self.summary(), "", *told]))


def drawn(mutants: Sequence[Mutant], sample: int, seed: int) -> list[Mutant]:
    """So many of them by chance, the same ones each time; all where `sample` is 0 or they are no more."""
    if sample in (0, len(mutants)) or len(mutants) < sample:
        return list(mutants)
    return random.Random(seed).sample(mutants, sample)
