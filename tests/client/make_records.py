"""`python -m tests.client.make_records`: writes trainyard_client/records.py from the API's description."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app import create_app
from trainyard.settings import REPOSITORY, Settings

TARGET = REPOSITORY / "trainyard_client" / "records.py"
NAMES = {"RunState": "Run"}
"""What a schema is called where its own name says less."""
HEAD = '''"""What the API answers with, as dataclasses. `python -m tests.client.make_records` makes them.

Statuses and other names are plain text: a newer server may have more of them.
"""

from datetime import datetime
from typing import Any

from trainyard_client.decoding import Record
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
Schema = Mapping[str, Any]


def description() -> dict[str, Any]:
    """The API's OpenAPI document; no Redis is needed for it."""
    settings = Settings(redis_url="redis://127.0.0.1:1/0", storage=Path("/nonexistent"))
    answer = create_app(settings).test_client().get("/openapi.json", headers={"Host": "127.0.0.1"})
    document: dict[str, Any] = answer.get_json()
    return document


def records(document: Mapping[str, Any]) -> str:
    """The module's text: a class for every schema of an answer, after those that it is made of."""
    schemas: dict[str, Schema] = document["components"]["schemas"]
    order: list[str] = []
    for name in sorted(set(_answered(document["paths"]))):
        _visit(name, schemas, order)
    return HEAD + "".join(_class(name, schemas[name]) for name in order)


def formatted(text: str) -> str:
    """The text as ruff writes it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _answered(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in paths.items():
        if path.startswith("/api/"):
            for operation in operations.values():
                if isinstance(operation, Mapping):
                    yield from _in_answers(operation.get("responses", {}))


def _in_answers(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json", {})
        if status.startswith("2"):
            yield from _references(content.get("schema", {}))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _visit(name: str, schemas: Mapping[str, Schema], order: list[str]) -> None:
    if name in order:
        return
    for needed in sorted(set(_references(schemas[name]))):
        if needed != name:
            _visit(needed, schemas, order)
    order.append(name)


def _class(name: str, schema: Schema) -> str:
    lines = [f"    {field}: {_annotation(one)}" for field, one in schema["properties"].items()]
    notes = [
        f"    {field}: {one['description']}"
        for field, one in schema["properties"].items()
        if one.get("description")
    ]
    text = f'    """{_sentence(name)}' + ("\n\n" + "\n".join(notes) + "\n    " if notes else "") + '"""\n\n'
    return "\n\nclass " + (f"{NAMES.get(name, name)}(Record):\n" + text + "\n".join(lines) + "\n")


def _sentence(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return f"{words.capitalize()}."


def _annotation(schema: Schema) -> str:
    inner = _type(schema)
    return f"{inner} | None" if _is_nullable(schema) and inner != "Any" else inner


def _is_nullable(schema: Schema) -> bool:
    return bool(schema.get("nullable")) or any(map(_is_nullable, schema.get("anyOf", [])))


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return NAMES.get(name, name)
    for parts in (schema.get("allOf"), schema.get("anyOf")):
        if parts:
            named = [part for part in parts if "$ref" in part]
            return _type(named[0]) if len(named) == 1 else "Any"
    if schema.get("format") == "date-time":
        return "datetime"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_annotation(schema.get('items', {}))}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return (
            f"dict[str, {_annotation(values)}]"
            if isinstance(values, Mapping) and values
            else "dict[str, Any]"
        )
    if kind is None and schema.get("enum"):
        return "str"
    return PLAIN.get(str(kind), "Any")


if __name__ == "__main__":
    TARGET.write_text(formatted(records(description())))
