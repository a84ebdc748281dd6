"""What a request has that is no field of its schema: told with the name that was probably meant."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from marshmallow import Schema, fields

UNKNOWN: str = Schema().error_messages["unknown"]


def with_names(schema: Schema, problems: Mapping[Any, Any]) -> dict[Any, Any]:
    """Marshmallow's messages for the schema, nested as they come, in which an unknown field's is followed by
    the field that is called nearly so, else by all that there are."""
    known = {field.data_key or name: field for name, field in schema.fields.items() if not field.dump_only}
    return {
        key: [f"{UNKNOWN} {_meant(str(key), sorted(known))}"]
        if problem == [UNKNOWN] and key not in known
        else _within(known.get(key), problem)
        for key, problem in problems.items()
    }


def _within(field: fields.Field[Any] | None, problem: Any) -> Any:
    """What is wrong with a field, or with the items of a list."""
    if not isinstance(problem, Mapping):
        return problem
    if isinstance(field, fields.List):
        return {place: _within(field.inner, one) for place, one in problem.items()}
    if isinstance(field, fields.Nested):
        if field.many:
            return {place: _within(fields.Nested(field.schema), one) for place, one in problem.items()}
        return with_names(field.schema, problem)
    return problem


def _meant(name: str, known: list[str]) -> str:
    if near := get_close_matches(name, known, n=1):
        return f"Did you mean {near[0]}?"
    return f"There are: {', '.join(known)}." if known else "There are none."
