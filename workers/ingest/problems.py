"""What is found wrong with an upload, one problem of each kind, and what its files leave open."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from trainyard.datasets.record import Choice, OnQuestion, Problem, Question
from trainyard.errors import BadDataset

MAX_EXAMPLES = 10
"""Examples that are kept of a problem or a choice."""

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


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A `Choice` as the place that asks knows it; `draw` makes its preview, an RGB PNG, or raises Refused."""

    key: str
    text: str
    count: int
    options: Mapping[str, Any]
    examples: Sequence[str] = ()
    draw: Callable[[], bytes] | None = None


@dataclass
class _Group:
    """Problems of one code: the first of them, how many there are, and a few with their files."""

    first: Problem
    count: int = 0
    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.count += problem.count
        if len(self.found) < MAX_EXAMPLES:
            named = [(text, "") for text in problem.examples]
            self.found += named or [(problem.file or "", problem.message)]

    def problem(self) -> Problem:
        """The group as one problem."""
        if self.count == 1:
            return self.first
        same = len({message for _, message in self.found if message}) <= 1
        texts = [file if same or not text else f"{file}: {text}".lstrip(": ") for file, text in self.found]
        examples = tuple(text for text in texts if text)[:MAX_EXAMPLES]
        return replace(self.first, count=self.count, examples=examples)


class ProblemLog:
    """Collects problems by severity and code, and questions; memory does not grow with their number."""

    def __init__(self, on_question: OnQuestion = "ask") -> None:
        """`on_question` says what becomes of a question: see `IngestOptions`."""
        self._groups: dict[str, dict[str, _Group]] = {"error": {}, "warning": {}}
        self._on_question = on_question
        self._asked: dict[str, tuple[Question, Sequence[Offer]]] = {}
        self.guesses: list[str] = []

    @property
    def has_errors(self) -> bool:
        return bool(self._groups["error"])

    def is_blocked(self) -> bool:
        """Whether there is an error, or a question that is to be asked: then the set cannot be ready."""
        return self.has_errors or bool(self._asked)

    def error(self, code: str, file: str | None, message: str, remedy: str) -> None:
        """Note something that keeps the set from training."""
        self._add("error", code, file, message, remedy)

    def warning(self, code: str, file: str | None, message: str, remedy: str) -> None:
        """Note something that the user should know."""
        self._add("warning", code, file, message, remedy)

    def guess(self, text: str) -> None:
        """Note what was concluded, though the files do not say it; nothing contradicts it."""
        if text not in self.guesses:
            self.guesses.append(_printable(text))

    def refused(self, file: str | None, refusal: Refused) -> None:
        """Note that a file, or with None the upload, was refused, and why."""
        self.error(refusal.problem_code, file, refusal.message, refusal.remedy)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take over what another log found."""
        for one in problems:
            self._take(one)

    def adopt(self, other: "ProblemLog") -> None:
        """Take over all that another log holds: its problems, questions and guesses."""
        self.extend(other.problems())
        for code, asked in other._asked.items():
            self._asked.setdefault(code, asked)
        for text in other.guesses:
            self.guess(text)

    def ask(self, code: str, text: str, offers: Sequence[Offer]) -> str:
        """Leave a question to the client, or settle it as the client said beforehand.

        `offers` are the readings that fit, the likeliest first. Returns the key of the one to go on with.
        """
        likeliest = offers[0]
        if self._on_question == "ask":
            choices = tuple(_choice(offer) for offer in offers)
            self._asked.setdefault(
                code, (Question(code=code, text=_printable(text), choices=choices), offers)
            )
        elif self._on_question == "fail":
            ways = "; ".join(f"{_as_options(offer.options)} for: {offer.text}" for offer in offers)
            self.error(code, None, text, f"Send the set again with one of these options: {ways}.")
        else:
            self.warning(
                code,
                None,
                f"{text} Assumed: {likeliest.text}",
                "Nothing, if that is right; else send other options: "
                + "; ".join(f"{_as_options(offer.options)} for: {offer.text}" for offer in offers[1:])
                + ".",
            )
        return likeliest.key

    def questions(self) -> tuple[Question, ...]:
        """What is to be asked, in order."""
        return tuple(question for question, _ in self._asked.values())

    def offers(self) -> dict[str, Sequence[Offer]]:
        """The readings that fit each question, by its code."""
        return {code: offers for code, (_, offers) in self._asked.items()}

    def problems(self) -> tuple[Problem, ...]:
        """Errors first, then warnings, each kind once, in the order in which the first of each was found."""
        groups = (*self._groups["error"].values(), *self._groups["warning"].values())
        return tuple(group.problem() for group in groups)

    def _add(
        self, severity: Literal["error", "warning"], code: str, file: str | None, message: str, remedy: str
    ) -> None:
        name = None if file is None else shown(file)
        text = _printable(message)  # a library's words may quote the file
        self._take(Problem(severity=severity, code=code, file=name, message=text, remedy=remedy))

    def _take(self, problem: Problem) -> None:
        self._groups[problem.severity].setdefault(problem.code, _Group(problem)).add(problem)


def _choice(offer: Offer) -> Choice:
    return Choice(
        key=offer.key,
        text=_printable(offer.text),
        count=offer.count,
        options=dict(offer.options),
        examples=tuple(shown(text) for text in offer.examples[:MAX_EXAMPLES]),
        preview=offer.draw is not None,
    )


def _as_options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}: {value}`" for name, value in options.items())
