"""The error answers of each operation in the OpenAPI document: statuses, and an example of each code."""

from http import HTTPStatus
from typing import Any

from apispec import APISpec, BasePlugin

from app.http.answers.errors import ErrorSchema, described_errors

API = "/api/v1"
_OF_ALL = (401, 403, 429, 500, 503)
_OF_A_THING = (404,)
_OF_A_CHANGE = (409,)
_OF_A_BODY = (400, 408, 413, 415, 422)
_WRITES = frozenset({"post", "put", "patch", "delete"})


class ErrorAnswers(BasePlugin):
    """Adds to each operation of the API what it may answer besides what it says itself."""

    def init_spec(self, spec: APISpec) -> None:
        """Describe the answer of each status once, for all operations to refer to."""
        for status, examples in described_errors().items():
            spec.components.response(
                _name(status),
                {
                    "description": HTTPStatus(status).phrase,
                    "content": {"application/json": {"schema": ErrorSchema, "examples": examples}},
                },
            )

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """The statuses that go with where the operation is and what it takes."""
        if not path or not path.startswith(API):
            return
        for method, operation in (operations or {}).items():
            answers = operation.setdefault("responses", {})
            for status in _statuses(path, method, operation):
                told = answers.pop(status, answers.pop(str(status), None))
                answers[str(status)] = _answer(status, told)


def _answer(status: int, told: Any) -> dict[str, Any]:
    """What an operation says of its own answer stays, with examples."""
    if not isinstance(told, dict) or "content" not in told:
        return {"$ref": f"#/components/responses/{_name(status)}"}
    for content in told["content"].values():
        content.setdefault("examples", described_errors()[status])
    return told


def _statuses(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    found = {*_OF_ALL}
    if "{" in path:
        found |= {*_OF_A_THING}
    if method in _WRITES and ("{" in path or method == "post"):
        found |= {*_OF_A_CHANGE}
    if "requestBody" in operation:
        found |= {*_OF_A_BODY}
    known = {int(str(status)) for status in operation["responses"] if str(status).isdecimal()}
    return found | {status for status in known if status >= 400 and status in described_errors()}


def _name(status: int) -> str:
    return f"Error{status}"
