"""What a worker is asked that takes in an experiment of another machine, and what it answers."""

from dataclasses import dataclass, field
from typing import Any

from trainyard.runs.checkpoints import Checkpoint
from trainyard.runs.record import AttemptRecord, ForkedFrom, MetricSummary
from trainyard.spec.training_spec import TrainingSpec


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """A worker is to look at the archive in the folder `id`, and to lay out a run's folder beside it.

    `max_bytes` is what its files may have together.
    """

    id: str
    max_bytes: int


@dataclass(frozen=True, kw_only=True)
class ClaimedRun:
    """What the files of an experiment say of it, each checked for its form and against the others.

    `fence` is the attempt under which the files lie, `has_results` whether a report and what belongs to it
    are among them. The other fields are as in a run's record; `run_id`, `name`, `revision` and `created_at`
    are those of the experiment.
    """

    run_id: str
    name: str
    revision: int
    created_at: float
    status: str
    dataset_hash: str
    experiment: str | None
    spec: TrainingSpec
    epochs: int
    epoch: int
    step: int
    used_seconds: float
    fence: int
    attempts: tuple[AttemptRecord, ...]
    checkpoints: dict[str, Checkpoint]
    notices: tuple[str, ...]
    has_results: bool
    metrics: dict[str, MetricSummary] = field(default_factory=dict)
    best_row: dict[str, Any] | None = None
    last_row: dict[str, Any] | None = None
    forked_from: ForkedFrom | None = None
    result: dict[str, Any] | None = None
