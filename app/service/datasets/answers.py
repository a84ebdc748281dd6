"""The options that answers to the questions of a data set stand for."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainyard.datasets.record import Question
from trainyard.errors import InvalidRequest


def chosen_options(questions: Sequence[Question], answers: Mapping[str, str]) -> dict[str, Any]:
    """The options of the chosen readings, in the form of a record; raises InvalidRequest, naming what may be
    answered."""
    by_code = {question.code: question for question in questions}
    options: dict[str, Any] = {}
    for code, key in answers.items():
        if code not in by_code:
            said = f"no open question; the questions are {', '.join(by_code) or 'none'}"
            raise InvalidRequest(f"{code[:40]!r} is not asked.", errors={"answers": {code[:40]: [said]}})
        choice = next((one for one in by_code[code].choices if one.key == key), None)
        if choice is None:
            keys = ", ".join(one.key for one in by_code[code].choices)
            said = f"must be one of: {keys}"
            raise InvalidRequest(f"{key[:40]!r} is no choice.", errors={"answers": {code: [said]}})
        options |= choice.options
    return options
