"""Use cases that end a run, bring it back, or remove it."""

from collections.abc import Callable
from dataclasses import replace

from app.service.runs.runs import RunService, RunState
from trainyard.registry.lifecycle import RunLife
from trainyard.runs.record import Run
from trainyard.spec.checks import check_export


class RunLifeService:
    """Each may be asked for again; all raise NotFound, and Conflict where the run's state forbids them."""

    def __init__(self, life: RunLife, runs: RunService, notify: Callable[[str], bool]) -> None:
        self._life = life
        self._runs = runs
        self._notify = notify

    def cancel(self, run_id: str) -> RunState:
        """Throw the run away; one that trains is ended by its worker, soon after."""
        return self._runs.state_after(self._life.cancel(run_id))

    def resume(self, run_id: str, epochs: int | None) -> RunState:
        """Let an ended run go on where it ended, to another epoch target if one is given."""
        return self._queued(self._life.resume(run_id, epochs))

    def retry(self, run_id: str) -> RunState:
        """Let a failed run begin afresh, or only be finished where it failed when it was trained."""
        return self._queued(self._life.retry(run_id))

    def export(self, run_id: str, onnx: bool, **options: bool) -> RunState:
        """Have the files of a completed run exported; what `options` leave out stays as its spec says.

        Raises InvalidRequest for forms of a file that is not wanted.
        """
        wanted = replace(self._runs.get(run_id).spec.export, onnx=onnx, **options)
        if not onnx:
            check_export(wanted)
        return self._runs.state_after(self._life.export(run_id, wanted))

    def _queued(self, run: Run) -> RunState:
        self._notify(run.queue)
        return self._runs.state_after(run)

    def remove(self, run_id: str) -> None:
        """Delete an ended run with its files."""
        self._life.remove(run_id)
