"""Tells of many faults of one kind in one file once, with the first of them as the example."""

from collections import Counter

from workers.ingest.problems import ProblemLog, Refused


class Faults:
    """What had to be left out of one annotation file."""

    def __init__(self, file: str, log: ProblemLog) -> None:
        self._file = file
        self._log = log
        self._counts: Counter[str] = Counter()
        self._firsts: dict[str, str] = {}

    def add(self, code: str, place: str, message: str) -> None:
        """Note one; `place` says where in the file it is."""
        self._counts[code] += 1
        self._firsts.setdefault(code, f"{place}: {message.rstrip('.')}")

    def refused(self, place: str, refusal: Refused) -> None:
        """Note a part of the file that was refused."""
        self.add(refusal.problem_code, place, refusal.message)

    def report(self, remedy: str) -> None:
        """Log a warning for each kind."""
        for code, count in self._counts.items():
            more = f" ({count - 1} more like it)" if count > 1 else ""
            self._log.warning(code, self._file, f"Left out: {self._firsts[code]}{more}.", remedy)
