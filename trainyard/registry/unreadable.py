"""A record whose file cannot be read is listed all the same: its id, why, and what else its file tells."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from trainyard.errors import TrainyardError
from trainyard.store.codec import NOTED
from trainyard.store.records import Life, RecordStore

Record = TypeVar("Record")

_TEXTS = ("project", "name", "queue", "dataset_id")
_FILLED = {"project": "unknown", "queue": "none", "dataset_id": "unknown", "priority": "0", "epoch": "0"}
"""What scripts look at whatever they do with a record."""
_LATEST = 1e11
"""A time above this, in seconds since 1970, is none."""
_SHOWN = 200
"""Characters that are taken of each."""


def note_unreadable(store: RecordStore[Record], life: Life, file: Path, error: TrainyardError) -> str:
    """Let Redis list the record of that file; see note_unreadable.lua for what comes of it."""
    found = _parsed(file)
    texts = {name: str(found[name])[:_SHOWN] for name in _TEXTS if isinstance(found.get(name), str)}
    values = _FILLED | {name: text for name, text in texts.items() if text}
    record_id = file.parent.name
    return store.note_unreadable(
        record_id, life, {**values, "created_at": str(_created_at(found, file)), NOTED: error.message}
    )


def _parsed(file: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(file.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def _created_at(found: dict[str, Any], file: Path) -> float:
    """When it was made, in seconds since 1970: by its own word, or when its file was last written."""
    told = found.get("created_at")
    if isinstance(told, int | float) and 0 <= told < _LATEST:
        return float(told)
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
