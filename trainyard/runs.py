"""The run record and its life.

    submit          claim            all epochs, or a target not above the epochs done
      ----> queued ----> running ----------------------------------------------------> completed
              |  ^          |  |--- stop: keeps the work -----------------------------> stopped
              |  `- release,   `--- an error, or lost or broken too often --------> failed
              |     lapse,
              |     crash
              `----- stop ----------------------------------------------------------> stopped

A stop or an epoch change is a signal beside the record (`signals.py`), never a status.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainyard.checkpoints import Checkpoint
from trainyard.spec import TrainingSpec


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.STOPPED}),
    RunStatus.RUNNING: frozenset(
        {RunStatus.QUEUED, RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED}
    ),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.STOPPED: frozenset(),
    RunStatus.FAILED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class AttemptRecord:
    """One worker's try at a run; times are seconds since 1970, UTC.

    `attempt` is its fence, `device` known once it trains. `from_epoch` epochs were finished when it began,
    and it finished `epochs` more. `reason` says how it ended: completed, stopped, drained, or the code of
    the error that ended it.
    """

    attempt: int
    worker: str
    device: str | None = None
    started_at: float
    ended_at: float | None = None
    reason: str | None = None
    from_epoch: int = 0
    epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """The record of a run; times are seconds since 1970, UTC.

    `spec` stays as submitted; `epochs` is the present target. `epoch` and `step` are those finished.
    `fence` grows with each attempt, and only the attempt that holds it may write; `crashes` counts those
    that were lost or broke, `attempts` tells of the newest ones. `checkpoints` are the committed files by
    name (`checkpoints.py`). `result` is what training returned: best epoch and metrics, images/s, exported
    file and its parity.
    """

    id: str
    project: str
    name: str
    notes: str = ""
    dataset_id: str
    dataset_hash: str
    experiment: str | None = None
    spec: TrainingSpec
    status: RunStatus = field(default=RunStatus.QUEUED, metadata={"by_value": True})
    revision: int = 1
    queue: str = "train"
    priority: int = 0
    fence: int = 0
    crashes: int = 0
    owner: str | None = None
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    epochs: int
    epoch: int = 0
    step: int = 0
    notices: tuple[str, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    labels: dict[str, str]
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
