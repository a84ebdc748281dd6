"""Each attempt at a run or an ingest as Flower and other monitors of Celery show it: as a task of its own.

The messages that wake workers say nothing of the work (`wake_ups.py`). An attempt's id is
`<record id>.<attempt>`, by which it can be revoked.
"""

import socket
import time
from dataclasses import dataclass
from typing import Any, TypeAlias

from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.errors import Revoked
from trainyard.runs.record import AttemptRecord, Run, RunStatus

TRAINED = "trained"
"""The reason of an attempt that trained its run to the end."""

Worked: TypeAlias = Run | Dataset
"""What attempts are made at."""


@dataclass(frozen=True, kw_only=True)
class AttemptEvent:
    """An event of Celery (`task-started` and the like) about the attempt of that id.

    `node` is the Celery name of the worker that makes the attempt; `at` is when, in seconds since 1970.
    """

    kind: str
    id: str
    node: str
    at: float
    fields: dict[str, Any]


def attempt_id(record: Worked) -> str:
    """The id under which the newest attempt at a record is known to monitors."""
    return f"{record.id}.{record.fence}"


def begun(record: Worked, node: str) -> tuple[AttemptEvent, ...]:
    """What is told of the attempt that a worker has begun."""
    at = record.started_at or time.time()
    fields = {**_described(record), "retries": record.crashes}
    return tuple(
        AttemptEvent(kind=kind, id=attempt_id(record), node=node, at=at, fields=fields)
        for kind in ("task-received", "task-started")
    )


def ended(record: Worked, node: str) -> AttemptEvent:
    """What is told of a record's newest attempt once the record says how it ended.

    A run that was stopped or cancelled shows as revoked, and one that waits for another attempt as retried.
    """
    kind, fields = _outcome(record)
    at = time.time()
    runtime = max(0.0, at - _began_at(record, at))
    fields |= {**_described(record), "runtime": runtime}
    return AttemptEvent(kind=kind, id=attempt_id(record), node=node, at=at, fields=fields)


def lost(record: Worked) -> AttemptEvent:
    """As `ended`, of an attempt whose worker was lost: told under its name, by whoever noticed."""
    role, worker = (
        ("ingest", record.last_owner) if isinstance(record, Dataset) else ("train", _trainer(record))
    )
    if not worker:
        return ended(record, f"{role}@{socket.gethostname()}")  # a record of before it said who held it
    host, pid, *_ = [*worker.split(":"), "", ""]  # an id is whatever a worker gave itself
    return ended(record, node_name(role, pid, host))


def node_name(role: str, pid: int | str, host: str) -> str:
    """The Celery name of a worker process."""
    return f"{role}-{pid}@{host}"


def _trainer(run: Run) -> str | None:
    return run.attempts[-1].worker if run.attempts else None


def _newest(record: Worked) -> AttemptRecord | None:
    return record.attempts[-1] if isinstance(record, Run) and record.attempts else None


def _began_at(record: Worked, otherwise: float) -> float:
    attempt = _newest(record)
    return attempt.started_at if attempt else record.started_at or otherwise


def _described(record: Worked) -> dict[str, Any]:
    """The name of the task, its arguments, and the attempts before it."""
    attempt = _newest(record)
    work = "finish_run" if attempt and attempt.finishing else "train_run"
    name = work if isinstance(record, Run) else "ingest_dataset"
    before = {"root_id": f"{record.id}.1", "parent_id": f"{record.id}.{record.fence - 1}"}
    named = {"name": f"trainyard.{name}", "args": "()", "kwargs": repr(_arguments(record))}
    return {**named, **(before if record.fence > 1 else {})}


def _arguments(record: Worked) -> dict[str, Any]:
    kind = "run" if isinstance(record, Run) else "dataset"
    return {kind: record.id, "project": record.project, "name": record.name, "attempt": record.fence}


def _outcome(record: Worked) -> tuple[str, dict[str, Any]]:
    attempt = _newest(record)
    reason = (attempt.reason if attempt else None) or "another attempt follows"
    match record.status:
        case RunStatus.FAILED | DatasetStatus.FAILED:
            return _failed(record.error or {})
        case DatasetStatus.READY if isinstance(record, Dataset) and record.refused_change:
            return _failed(record.refused_change.error)
        case RunStatus.STOPPED | RunStatus.CANCELLED:
            return _revoked(reason)
        case RunStatus.COMPLETED | DatasetStatus.READY | DatasetStatus.QUESTION:
            return "task-succeeded", {"result": _result(record)}
        case RunStatus.FINISHING if reason == TRAINED:
            return "task-succeeded", {"result": _result(record)}
        case _:
            return "task-retried", {"exception": reason, "traceback": ""}


def _revoked(reason: str) -> tuple[str, dict[str, Any]]:
    return "task-revoked", {"terminated": True, "signum": None, "expired": False, "result": reason}


def _failed(error: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if error.get("code") == Revoked.code:
        return _revoked(Revoked.code)
    told = f"{error.get('code', 'error')}: {error.get('message', '')}"
    return "task-failed", {"exception": told, "traceback": error.get("log_tail") or ""}


def _result(record: Worked) -> str:
    if isinstance(record, Run):
        done = TRAINED if record.status is RunStatus.FINISHING else record.status
        return f"{done}, epoch {record.epoch} of {record.epochs}"
    return f"{record.status}, {record.images_done} images"
