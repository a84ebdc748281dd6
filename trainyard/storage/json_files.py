"""JSON files that are whole or absent, with the number of their schema."""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainyard.errors import BrokenFile, NewerFormat
from trainyard.storage.errors import storage_error

SCHEMA = 1


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write whole or not at all: a temporary file, fsync, rename. Adds the schema number."""
    write_text(path, json.dumps({"schema": SCHEMA, **data}, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """As `write_json`, for text; raises StorageUnavailable."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):  # where the folder cannot be reached, neither can it be cleaned
            temporary.unlink()
        raise storage_error(f"{path.name} could not be written", error) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote; raises StorageUnavailable, of it BrokenFile and NewerFormat."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise storage_error(f"{path.name} could not be read", error) from error
    except (ValueError, RecursionError) as error:
        raise BrokenFile(f"{path.name} could not be read: {error}.") from error
    schema = data.pop("schema", 0) if isinstance(data, dict) else None
    if not isinstance(schema, int):
        raise BrokenFile(f"{path.name} holds no record of Trainyard.")
    check_schema(path, schema)
    return dict(data)


def check_schema(path: Path, schema: int) -> None:
    """Raise NewerFormat for a file whose schema number is above ours."""
    if schema > SCHEMA:
        raise NewerFormat(
            f"{path.name} was written by a newer Trainyard: its schema is {schema}, "
            f"and this one reads up to {SCHEMA}."
        )


def is_accepted(record_file: Path) -> bool:
    """Whether that is the record of a run or data set that Redis has accepted; raises as `read_json`."""
    return record_file.exists() and read_json(record_file).get("revision", 0) > 0
