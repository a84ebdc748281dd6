"""The use case of forks: a new run that begins with the weights of another one's checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.service.run_outputs.files import RunFiles
from app.service.runs.runs import NAME_LENGTH, RunRequest, RunService
from trainyard.errors import Conflict, InvalidRequest
from trainyard.runs.record import ForkedFrom, Run


@dataclass(frozen=True, kw_only=True)
class ForkRequest:
    """What a client asks for; None takes what the run has that is forked. `spec` is laid over its spec."""

    checkpoint: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    dataset_id: str | None = None
    name: str | None = None
    project: str | None = None
    notes: str = ""
    tags: Sequence[str] | None = None
    group: str | None = None
    priority: int = 0
    max_hours: float | None = None
    device_class: str | None = None


class ForkService:
    """Forks runs."""

    def __init__(self, runs: RunService, files: RunFiles) -> None:
        self._runs = runs
        self._files = files

    def fork(self, run_id: str, asked: ForkRequest, key: str | None = None) -> tuple[bool, Run]:
        """Accept a fork: whether it is new, and its record. The same `key` again finds the same fork.

        Raises NotFound, Conflict for a run that has no checkpoint, InvalidRequest for a checkpoint that it
        does not have, and what a submission raises.
        """
        origin = self._runs.get(run_id)
        request = RunRequest(
            dataset_id=asked.dataset_id or origin.dataset_id,
            experiment=origin.experiment,
            spec=asked.spec,
            name=asked.name or f"Fork of {origin.name}"[:NAME_LENGTH],
            project=asked.project or origin.project,
            notes=asked.notes,
            tags=origin.tags if asked.tags is None else asked.tags,
            group=asked.group or origin.group,
            priority=asked.priority,
            max_hours=asked.max_hours or origin.max_hours,
            device_class=asked.device_class or origin.queue,
            forked_from=ForkedFrom(run_id=run_id, checkpoint=asked.checkpoint),
        )
        if key is None or self._runs.earlier(request, key) is None:
            self._check(origin, asked.checkpoint)
        return self._runs.submit(request, key)

    def _check(self, origin: Run, checkpoint: str) -> None:
        there = [one.name for one in self._files.checkpoints(origin.id)]
        if not there:
            raise Conflict(
                f"Run {origin.id} is {origin.status} and has no checkpoint to begin with.",
                errors={"status": origin.status, "checkpoint": ["none is there"]},
            )
        if checkpoint not in there:
            raise InvalidRequest(
                f"Run {origin.id} has no checkpoint {checkpoint!r}.",
                errors={"checkpoint": [f"one of: {', '.join(there)}"]},
            )
