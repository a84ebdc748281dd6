"""What is found wrong with an upload: kept in order of weight, and never more than a page can show."""

from collections.abc import Iterable
from typing import Literal

from trainyard.datasets import Problem
from trainyard.errors import BadDataset

MAX_PROBLEMS = 200
"""Problems listed of one upload; a last one says how many more there are."""

LONGEST_NAME = 300
"""Characters of a file's name that are kept for display."""


def shown(name: str) -> str:
    """A name from an archive as it may be shown: printable, of bounded length."""
    printable = _printable(name)
    return printable if len(printable) <= LONGEST_NAME else printable[:LONGEST_NAME] + "..."


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class Refused(BadDataset):
    """One file of the upload cannot be used; `problem_code` says why."""

    def __init__(self, problem_code: str, message: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.problem_code = problem_code


class ProblemLog:
    """Collects problems; keeps the first MAX_PROBLEMS of each severity and counts the rest."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Problem]] = {"error": [], "warning": []}
        self._found = {"error": 0, "warning": 0}

    @property
    def has_errors(self) -> bool:
        return self._found["error"] > 0

    def error(self, code: str, file: str | None, message: str, remedy: str) -> None:
        """Note something that keeps the set from training."""
        self._add("error", code, file, message, remedy)

    def warning(self, code: str, file: str | None, message: str, remedy: str) -> None:
        """Note something that the user should know."""
        self._add("warning", code, file, message, remedy)

    def refused(self, file: str | None, refusal: Refused) -> None:
        """Note that a file, or with None the upload, was refused, and why."""
        self.error(refusal.problem_code, file, refusal.message, refusal.remedy)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take over what another log found."""
        for one in problems:
            self._add(one.severity, one.code, one.file, one.message, one.remedy)

    def _add(
        self, severity: Literal["error", "warning"], code: str, file: str | None, message: str, remedy: str
    ) -> None:
        self._found[severity] += 1
        if self._found[severity] <= MAX_PROBLEMS:
            name = None if file is None else shown(file)
            text = _printable(message)  # a library's words may quote the file
            self._kept[severity].append(
                Problem(severity=severity, code=code, file=name, message=text, remedy=remedy)
            )

    def problems(self) -> tuple[Problem, ...]:
        """Errors first, then warnings, as found: at most MAX_PROBLEMS and one that counts the rest."""
        listed = (self._kept["error"] + self._kept["warning"])[:MAX_PROBLEMS]
        more = sum(self._found.values()) - len(listed)
        if not more:
            return tuple(listed)
        hidden_errors = self._found["error"] > MAX_PROBLEMS
        last = Problem(
            severity="error" if hidden_errors else "warning",
            code="more_problems",
            file=None,
            message=f"{more} more problems are not listed.",
            remedy="Mend those listed first; the next upload shows what is left.",
        )
        return (*listed, last)
