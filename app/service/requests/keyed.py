"""Requests with an Idempotency-Key: what a key stands for, and whether it comes with the same request."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from trainyard.errors import Conflict


def keyed_id(prefix: str, project: str, key: str) -> str:
    """The id that a key stands for within a project; `prefix` is that of its kind of records."""
    digest = hashlib.sha256(f"{project}\0{key}".encode()).hexdigest()
    return f"{prefix}-{digest[:12]}"


def fingerprint(request: Mapping[str, Any]) -> str:
    """What two requests have in common exactly when they ask for the same."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def refuse_other(record_id: str, status: str, kept: str | None, sent: str) -> None:
    """Raise Conflict where the fingerprint that the record keeps is not that of the request."""
    if kept != sent:
        raise Conflict(
            f"This Idempotency-Key came with another request before, which made {record_id}.",
            errors={"Idempotency-Key": ["use a new key for a new request"], "status": status},
        )
