"""The run record and its life.

    submit          claim            all epochs, or a target            report and files
                                     not above the epochs done          are written
      ----> queued ----> running -----------------------------> finishing -----------> completed
            | |  ^ ^         | | |                                 | |
            | |  | |         | | |--- stop: keeps the work --------|-|---------------> stopped
            | |  | `-release,' | `--- an error, or lost or broken -' | --------------> failed
            | |  |   lapse,    |      too often                      |
            | |  |   crash     `----- cancel: discards the work -----'---------------> cancelled
            | |  `-- resume of a completed, stopped or failed run; retry of a failed one
            | `----- stop -----------------------------------------------------------> stopped
            `------- cancel ---------------------------------------------------------> cancelled

A run that is `finishing` has left its device: it waits in a queue apart (nobody is its `owner`) for a worker
that writes what it owes, or one does; lost or given back, it waits there again. There is nothing to stop. A
target above the epochs done puts it back in its queue, to train on. Where finishing failed, resume and retry
lead back to it: the training is done.

A run may be accepted before its data set is ready: it is queued and `awaits_dataset`, which no worker takes.
Once the set is ready it waits for a worker; where no run can come of the set, it has failed.

`resume` goes on from last.ckpt, `retry` begins afresh, and a fork is another run. A run that has ended may
be deleted. A wish for a running run - stop, cancel, another number of epochs - is a signal beside its
record (`signals.py`), never a status.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainyard.runs.checkpoints import Checkpoint
from trainyard.runs.imported import Imported
from trainyard.spec.training_spec import TrainingSpec


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHING = "finishing"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReopenedBy(StrEnum):
    """How a run that had ended came back into its queue."""

    RESUME = "resume"
    RETRY = "retry"
    EXPORT = "export"


ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FINISHING})
"""What has not ended: it waits, or is worked on."""
TO_TRAIN = ACTIVE - {RunStatus.FINISHING}
"""Of these, what is to be trained or is."""
TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset(
        {RunStatus.RUNNING, RunStatus.STOPPED, RunStatus.CANCELLED}
        | {RunStatus.FAILED}  # of one that awaits its data set
    ),
    RunStatus.RUNNING: frozenset(
        {RunStatus.QUEUED, RunStatus.FINISHING, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.CANCELLED}
        | {RunStatus.COMPLETED}  # by a worker of a release that wrote results before it let go of the run
    ),
    RunStatus.FINISHING: frozenset(
        {RunStatus.QUEUED, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}
    ),
    RunStatus.COMPLETED: frozenset({RunStatus.QUEUED}),
    RunStatus.STOPPED: frozenset({RunStatus.QUEUED}),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED, RunStatus.FINISHING}),
    RunStatus.CANCELLED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class ForkedFrom:
    """The checkpoint that a fork begins with: `best`, `last` or an epoch's number, of another run.

    How many of the fork's layers were filled from it, and which were not and why, is known once it has begun.
    """

    run_id: str
    checkpoint: str
    loaded_layers: int | None = None
    total_layers: int | None = None
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AttemptRecord:
    """One worker's try at a run; times are seconds since 1970, UTC.

    `attempt` is its fence, `device` known once it trains. `from_epoch` epochs were finished when it began,
    and it finished `epochs` more. `finishing` says that it did not train, but wrote what a trained run owes.
    `reason` says how it ended: trained (to the run's target), completed, stopped, cancelled, drained, fenced
    (its worker could not tell in time that it was still the run's), retargeted (its target was raised as it
    ended, or while it wrote results), or the code of the error that ended it.
    """

    attempt: int
    worker: str
    device: str | None = None
    started_at: float
    ended_at: float | None = None
    reason: str | None = None
    from_epoch: int = 0
    epochs: int = 0
    finishing: bool = False


@dataclass(frozen=True, kw_only=True)
class MetricSummary:
    """The best and the newest value of one monitored metric, each with the epoch that reached it, from 1."""

    best: float
    best_epoch: int
    last: float
    last_epoch: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """The record of a run; times are seconds since 1970, UTC.

    `revision` grows with every change; 0 is that of a record which Redis has not accepted yet. `spec` stays
    as submitted, but for the batches that a worker had to find or make smaller, and for files that were
    exported on request; `epochs` is the present
    target. `epoch` and `step` are those finished.
    `queue` is the device class it waits for; `priority` is 0 to 9, 9 first. `interrupted` says that it waits
    because an attempt was lost or given back: such runs go first. `place` is the time as whose it waits where
    that is not `created_at`.
    `fence` grows with each attempt, and only the attempt that holds it may write; `crashes` counts those
    that were lost or broke since the run was last resumed or tried again, which `reopened_by` names.
    `attempts` tells of the newest ones. `checkpoints` are the committed files by name (`checkpoints.py`).
    `metrics_of` is the attempt whose rows of metrics are the run's (`metric_rows.py`), and `results_of` the
    one whose report, figures and export are (`run_results.py`), 0 before any are; `metrics`, `best_row` and
    `last_row` are what the rows come to (`metric_summary.py`).
    `imported` tells of a run that was trained elsewhere and handed over; its data set may not be here, and
    its `dataset_id` is of none then.
    `tags` and `group` are a client's own words: what a run is about, and which runs belong together.
    `trace_parent` is the span of the request that made it, where requests are traced (`tracing.py`).
    `used_seconds` is how long all attempts together have trained, which `max_hours`
    limits where it is given. `result` is what training returned, from its end on: best epoch and metrics,
    images/s; with what finishing adds, the exported file and its parity. `error` is a `TrainyardError` with
    `attempt`, `log_tail` and `peak_memory`.
    """

    id: str
    project: str
    name: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    group: str | None = None
    dataset_id: str
    dataset_hash: str = ""
    experiment: str | None = None
    spec: TrainingSpec
    status: RunStatus = field(default=RunStatus.QUEUED, metadata={"by_value": True})
    revision: int = 0
    queue: str
    awaits_dataset: bool = False
    priority: int = 0
    interrupted: bool = False
    place: float | None = None
    fence: int = 0
    crashes: int = 0
    owner: str | None = None
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    epochs: int
    epoch: int = 0
    step: int = 0
    max_hours: float | None = None
    used_seconds: float = 0.0
    notices: tuple[str, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    metrics_of: int = 0
    metrics: dict[str, MetricSummary] = field(default_factory=dict)
    best_row: dict[str, Any] | None = None
    last_row: dict[str, Any] | None = None
    results_of: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    forked_from: ForkedFrom | None = None
    imported: Imported | None = None
    trace_parent: str | None = None
    reopened_by: ReopenedBy | None = field(default=None, metadata={"by_value": True})
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
