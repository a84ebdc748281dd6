"""Tells of many faults of one kind in one file once, with their number and the first few as examples."""

from collections import Counter, defaultdict

from trainyard.datasets.record import Problem
from workers.ingest.problems import MAX_EXAMPLES, ProblemLog, Refused, shown


class Faults:
    """What had to be left out of one annotation file."""

    def __init__(self, file: str, log: ProblemLog) -> None:
        self._file = shown(file)
        self._log = log
        self._counts: Counter[str] = Counter()
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, code: str, place: str, message: str) -> None:
        """Note one; `place` says where in the file it is."""
        self._counts[code] += 1
        if len(self._examples[code]) < MAX_EXAMPLES:
            self._examples[code].append(shown(f"{place}: {message.rstrip('.')}."))

    def refused(self, place: str, refusal: Refused) -> None:
        """Note a part of the file that was refused."""
        self.add(refusal.problem_code, place, refusal.message)

    def report(self, remedy: str) -> None:
        """Log a warning for each kind."""
        self._log.extend(
            Problem(
                severity="warning",
                code=code,
                file=self._file,
                message=f"Left out: {self._examples[code][0]}",
                remedy=remedy,
                count=count,
                examples=tuple(f"{self._file}: {text}" for text in self._examples[code]),
            )
            for code, count in self._counts.items()
        )
