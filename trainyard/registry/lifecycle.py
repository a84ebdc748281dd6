"""What clients decide of a run that is no submission and no signal: cancel, resume, retry, export, delete.

Redis decides, storage mirrors, followers are told; each may be asked for again. A decision that makes no
sense in the run's present state raises Conflict with that state.
"""

from contextlib import suppress
from dataclasses import replace

from trainyard.errors import Conflict, Unreadable
from trainyard.registry.runs import RunRegistry, refusal
from trainyard.runs.record import Run, RunStatus
from trainyard.spec.training_spec import ExportSpec
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import check_id
from trainyard.store.connection import Client
from trainyard.store.runs.run_store import RunStore


class RunLife:
    """All methods raise NotFound, Conflict, StoreUnavailable and StorageUnavailable."""

    def __init__(self, client: Client, storage: Storage, runs: RunRegistry) -> None:
        self._store = RunStore(client)
        self._storage = storage
        self._runs = runs

    def cancel(self, run_id: str) -> Run:
        """Throw a run away with its results: at once where it waits, by its worker where it trains."""
        outcome, run = self._store.cancel(check_id(run_id))
        return self._followed(run_id, outcome, run, "cancelled")

    def resume(self, run_id: str, epochs: int | None) -> Run:
        """Queue an ended run again, to go on where it ended; with another epoch target if one is given."""
        outcome, run = self._store.resume(check_id(run_id), epochs)
        if outcome == "reached" and run:
            raise Conflict(
                f"Run {run_id} is completed after {run.epoch} epochs; it goes on only to a higher target.",
                remedy="Give `epochs`, the total to reach.",
                errors={"status": run.status, "epochs": [f"above {run.epoch}"]},
            )
        return self._followed(run_id, outcome, run, "resumed")

    def retry(self, run_id: str) -> Run:
        """Queue a failed run again, to begin afresh, or only to be finished where it failed when trained."""
        outcome, run = self._store.retry(check_id(run_id))
        return self._followed(run_id, outcome, run, "tried again")

    def export(self, run_id: str, wanted: ExportSpec) -> Run:
        """Have the files of a trained run written as wanted; one that has them stays as it is."""
        found = self._runs.get(run_id)
        is_there = found.spec.export == wanted and bool((found.result or {}).get("export")) == wanted.onnx
        if found.status == RunStatus.COMPLETED and is_there:
            return found
        asked = replace(found, spec=replace(found.spec, export=wanted))
        outcome, run = self._store.export(asked)
        return self._followed(run_id, outcome, run, "exported")

    def remove(self, run_id: str) -> None:
        """Forget a run that has ended and delete its folder."""
        outcome, run = self._removed(check_id(run_id))
        self._check(run_id, outcome, run, "deleted")
        remove_folder(self._storage.run(run_id).path)

    def _removed(self, run_id: str) -> tuple[str, Run | None]:
        """The outcome. One that cannot be read and waits or trains is cancelled first: nobody trains it."""
        try:
            return self._store.remove(run_id)
        except Unreadable:
            with suppress(Unreadable):
                self._store.cancel(run_id)
        try:
            return self._store.remove(run_id)
        except Unreadable as error:
            raise Conflict(
                f"Run {run_id} cannot be read and is held by a worker: it is being cancelled.",
                remedy="Delete it once the worker has let it go.",
            ) from error

    def _followed(self, run_id: str, outcome: str, run: Run | None, verb: str) -> Run:
        """The record after a decision, its mirror written and a status just entered told."""
        self._check(run_id, outcome, run, verb)
        if run is None:
            raise self._runs.absent(run_id)
        mirrored = self._runs.mirror(run)
        if outcome in ("ended", "queued"):
            self._runs.announce_status(run)
        return mirrored

    def _check(self, run_id: str, outcome: str, run: Run | None, verb: str) -> None:
        if outcome == "missing":
            raise self._runs.absent(run_id)
        if outcome == "no_dataset" and run:
            raise Conflict(
                f"The data set of run {run_id} {'is not here' if run.imported else 'has been deleted'}; "
                f"it cannot be {verb}.",
                remedy="Upload the set and name it by PATCH (`dataset_id`), or fork the run onto another.",
                errors={"status": run.status, "dataset_id": ["no such data set"]},
            )
        if outcome == "refused" and run:
            raise refusal(run, verb)
