"""Errors of the engine as the command tells of them, with the exit status that goes with each."""

import json
from collections.abc import Mapping
from typing import Any

from trainyard import errors
from trainyard_client import errors as of_client
from trainyard_client.command.terminal.output import Output

FINDINGS = ("problems", "questions")
"""Of an error's `errors`: what ingest has found, which has a form of its own."""
_KINDS: Mapping[type[errors.TrainyardError], type[of_client.TrainyardError]] = {
    errors.NotFound: of_client.NotFound,
    errors.Conflict: of_client.Conflict,
}


def client_error(error: errors.TrainyardError, *, has_trained: bool) -> of_client.TrainyardError:
    """The client's error for the engine's: what was refused, or a training that failed."""
    kind = _KINDS.get(type(error)) or (
        of_client.Refused if error.cause == "user" else of_client.TrainyardError
    )
    found = {name: one for name, one in error.errors.items() if name not in FINDINGS}
    return (of_client.RunFailed if has_trained else kind)(
        error.message, code=error.code, errors=found, cause=error.cause, remedy=error.remedy
    )


def show_findings(output: Output, error: errors.TrainyardError) -> None:
    """Show what is wrong with a data set, and what it leaves open with the options that settle it."""
    for problem in error.errors.get("problems", ()):
        where = f"{problem['file']}: " if problem["file"] else ""
        output.note(f"{problem['severity']} {problem['code']}: {where}{problem['message']}")
        output.note(f"    {problem['remedy']}")
    for question in error.errors.get("questions", ()):
        output.note(f"question {question['code']}: {question['text']}")
        for choice in question["choices"]:
            output.note(f"    {_as_options(choice['options'])}  {choice['text']} ({choice['count']})")


def _as_options(options: Mapping[str, Any]) -> str:
    return " ".join(
        f"--data '{name}={value if isinstance(value, str) else json.dumps(value)}'"
        for name, value in options.items()
    )
