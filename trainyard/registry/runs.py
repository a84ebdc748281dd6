"""All runs as the rest of the house sees them: the registry, with what may be asked of a run in work."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Literal

from trainyard.access import require_project
from trainyard.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    StorageUnavailable,
    StoreUnavailable,
    Unreadable,
)
from trainyard.lease import LeaseRules
from trainyard.registry.base import Registry
from trainyard.registry.event_log import keep, last_id
from trainyard.runs.checkpoints import discard, place, with_saved
from trainyard.runs.events import CheckpointSaved, Event, Progress, StatusChanged, to_dict
from trainyard.runs.failures import failure
from trainyard.runs.metric_summary import summarize
from trainyard.runs.record import ACTIVE, TO_TRAIN, Run, RunStatus
from trainyard.runs.signals import Signals, StopWhen
from trainyard.storage.files import Storage
from trainyard.storage.ids import check_id
from trainyard.storage.metric_rows import place_rows, read_rows
from trainyard.storage.run_results import discard_work, place_results
from trainyard.store.connection import Client
from trainyard.store.records import Life, Page
from trainyard.store.runs.run_lists import RunLists, RunQuery
from trainyard.store.runs.run_store import FINISH_QUEUE, FINISHING_LIFE, RUN_LIFE, RunStore
from trainyard.store.runs.run_streams import LiveStore, parse_signals

logger = logging.getLogger(__name__)

KEEP_PAUSES_S = (0.0, 0.1, 0.2)
"""Before each try to write a status to events.jsonl: nobody comes back to it."""
FINISHING_REMEDY = (
    "Its training has ended: cancel it, let it complete, or raise its epoch target above the epochs done, "
    "so that it trains on."
)


class RunRegistry(Registry[Run]):
    """All runs, with what may be asked of one while it trains."""

    _store: RunStore

    def __init__(
        self, client: Client, storage: Storage, rules: LeaseRules | None = None, max_concurrent: int = 0
    ) -> None:
        self._store: RunStore
        super().__init__(RunStore(client), storage, RUN_LIFE, rules, max_concurrent)
        self._lists = RunLists(client, self._store.codec)
        self.live = LiveStore(client)

    def select(self, query: RunQuery) -> Page[Run]:
        """A page of runs; raises StoreUnavailable while not all of them are known again."""
        page = self._lists.page(query)
        if not page.items:
            self.require_complete()
        return page

    def several(self, run_ids: Sequence[str]) -> list[Run]:
        """The runs in that order, read at once; raises as `get` does for one that it cannot return."""
        found = self._lists.several([check_id(run_id) for run_id in run_ids])
        read = {one.id: one for one in found if isinstance(one, Run)}
        return [read[run_id] if run_id in read else self.get(run_id) for run_id in run_ids]

    def adopt(self, run: Run) -> tuple[bool, Run]:
        """Accept a run that was trained elsewhere, and has ended: whether it is new, and how it now stands.

        Its folder must hold its files. Raises Forbidden, StoreUnavailable and StorageUnavailable.
        """
        require_project(run.project)
        self.refuse_forgotten(run.id)
        self._write(run)
        created, stored = self._store.adopt(run)
        return created, self._mirrored(stored)

    def index(self, runs: Sequence[Run]) -> None:
        """Bring runs into their lists anew, as they are stored."""
        self._store.index(runs)
        for run in runs:
            self.add_summary(run)

    def list_again(self) -> list[str]:
        """Bring runs into their lists anew that a process of an older release has changed; their ids."""
        found = []
        for run_id in self._store.unlisted():
            try:
                self._store.index([self.get(run_id)])
                found.append(run_id)
            except NotFound:
                self._store.forget_unlisted(run_id)
            except Unreadable:
                continue
        return found

    def add_summary(self, run: Run) -> None:
        """Let the record of an earlier release say what its rows of metrics come to."""
        if run.epoch and run.last_row is None:
            rows = read_rows(self._storage.run(run.id), run.metrics_of)
            if rows:
                self.edit(run.id, summarize(rows, run.spec.checkpoints.monitor))

    def _written(self, record: Run) -> Run:
        """As for any record; of a cancelled run nothing is kept but record, events and log."""
        run = super()._written(record)
        if run.status not in ACTIVE:
            # Storage that took no changes when the attempt ended has kept what was begun.
            for begun in self._storage.run(run.id).attempts.glob("*/.saved/.*.tmp"):
                with suppress(OSError):
                    begun.unlink()
        if run.status == RunStatus.CANCELLED:
            discard_work(self._storage.run(run.id))
        return run

    def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus | None]:
        """The status of each run, in one round trip; None of one that is not there."""
        found = self._store.field_of_several(run_ids, "status")
        return {
            run_id: RunStatus(status) if status else None
            for run_id, status in zip(run_ids, found, strict=True)
        }

    def report(self, held: Run, progress: Progress | None) -> Signals:
        """Renew a held run, say where it stands, learn what is wished of it; raises OwnershipLost."""
        return parse_signals(self.renew(held, json.dumps(to_dict(progress)) if progress else ""))

    def stream(self, held: Run, event: Event) -> str:
        """Tell those who follow at present, nobody later; the event's id. Raises OwnershipLost."""
        folder = self._storage.run(held.id)
        event_id = self.live.tell(held.id, held.fence, held.owner or "", event, lambda: last_id(folder))
        if event_id is None:
            self.reclaim(held)
        return event_id

    def reap(self) -> list[Run]:
        """As for any record; what became of each run is published, for no worker will tell of it."""
        reaped = {run.id: run for run in super().reap()}
        return self._each(reaped, lambda run_id: self._told(reaped[run_id]))

    def _told(self, reaped: Run) -> Run:
        run = self._with_log(reaped)
        self.announce_status(run)
        return run

    def _with_log(self, run: Run) -> Run:
        """A run that was lost for good tells what its last attempt logged."""
        if run.status != RunStatus.FAILED:
            return run
        log = self._storage.run(run.id).log
        return self.edit(run.id, {"error": failure(run.error or {}, run.fence, log)})

    def publish_status(self, run: Run) -> None:
        """Tell the followers of a run its status; an ended run's stream goes after a while.

        Where storage fails, events.jsonl lacks this one; the record tells it as well. Raises
        StoreUnavailable.
        """
        changed, folder = status_event(run), self._storage.run(run.id)
        event_id = self.live.append(run.id, changed, lambda: last_id(folder))
        if run.status not in ACTIVE:
            self.live.expire(run.id)
        for pause_s in KEEP_PAUSES_S:
            time.sleep(pause_s)
            try:
                keep(folder, event_id, changed)
            except StorageUnavailable as error:
                logger.error("Run %s is %s: %s", run.id, run.status, error.message)
            else:
                break

    def announce_status(self, run: Run) -> None:
        """As `publish_status`, after a decision that is made and recorded: no outage can undo it, so none is
        raised. Followers then learn it from the record."""
        try:
            self.publish_status(run)
        except StoreUnavailable as error:
            logger.warning("Run %s is %s, and followers are not told: %s", run.id, run.status, error.message)

    def awaiting_dataset(self) -> list[str]:
        """The ids of the runs that wait for their data set."""
        return self._store.awaiting_dataset()

    def admit(self, run: Run, values: Mapping[str, Any]) -> Run | None:
        """Let a run whose data set is ready wait for a worker, with fields (JSON data) changed; None where it
        does not wait for its set any more."""
        return self._settled(run, RunStatus.QUEUED, {**values, "awaits_dataset": False})

    def refuse(self, run: Run, error: Mapping[str, Any]) -> Run | None:
        """End a run that waits for a data set of which no run can come; None as `admit`.

        Tried again, it waits for its set again.
        """
        return self._settled(
            run, RunStatus.FAILED, {"error": failure(error, 0, self._storage.run(run.id).log)}
        )

    def _settled(self, run: Run, status: RunStatus, values: Mapping[str, Any]) -> Run | None:
        outcome, found = self._store.settle(run.id, status, values)
        if outcome != "ok" or found is None:
            return None
        settled = self._mirrored(found)
        self.announce_status(settled)
        return settled

    def stop(self, run_id: str, when: StopWhen) -> Run:
        """Ask the run to stop; raises NotFound, or Conflict when it has ended otherwise.

        One that waits in the queue ends here: no worker will tell of it, so its event is published here.
        """
        outcome, found = self.live.stop(check_id(run_id), when)
        run = self._signalled(outcome, found, run_id, "stopped")
        if outcome == "ended":
            self.announce_status(run)
        return run

    def move_to_front(self, run_id: str) -> Run:
        """Put a queued run before those of its project, queue and priority; raises NotFound, Conflict."""
        outcome, found = self.live.move_to_front(check_id(run_id))
        return self._signalled(outcome, found, run_id, "moved in its queue")

    def move_beside(self, run_id: str, other: str, step: Literal[-1, 1]) -> Run:
        """Put a queued run right before (-1) or after (1) another; raises NotFound, Conflict, and
        InvalidRequest where the other does not wait in the same project and queue with the same priority."""
        field = "before" if step < 0 else "after"
        outcome, found = self.live.move_beside(check_id(run_id), other, step)
        if outcome == "apart":
            raise InvalidRequest(
                "The run can be moved among those that wait in its project and queue with its priority.",
                errors={field: ["another run of these"]},
            )
        return self._signalled(outcome, found, run_id, "moved in its queue")

    def retarget(self, run_id: str, epochs: int) -> Run:
        """Change the epoch target; raises NotFound, or Conflict when the run has ended.

        A finishing run trains on to a target above the epochs done; for any other its training has ended.
        """
        outcome, found = self.live.retarget(check_id(run_id), epochs)
        run = self._signalled(outcome, found, run_id, "given another epoch target")
        if outcome == "reopened":
            self.announce_status(run)
        return run

    def hand_over(self, held: Run, target: int, **values: Any) -> Run:
        """Let go of a held run that was trained to `target`: it is finishing, or queued again, to train on,
        where a client has set a higher target meanwhile. Raises OwnershipLost."""
        return self._noted(self._store.hand_over(held.id, held.fence, held.owner or "", target, values), held)

    def _life_in(self, queue: str) -> Life:
        """Of the queue of trained runs it is another."""
        return FINISHING_LIFE if queue == FINISH_QUEUE else RUN_LIFE

    def requeue_lost(self) -> list[str]:
        """As for any record, and for runs that are finishing."""
        return [*super().requeue_lost(), *self._store.requeue_lost(FINISHING_LIFE)]

    def commit(self, held: Run, saved: CheckpointSaved, file: str) -> Run:
        """Make a saved file, at `file` in the run's folder, its checkpoint; raises OwnershipLost.

        What it supersedes is deleted, once nobody can take it for the newest any more. Where storage does
        not let it go, the next attempt does.
        """
        keep_last = held.spec.checkpoints.keep_last
        names = with_saved(held.checkpoints, saved, file, keep_last)
        files = {name: asdict(one) for name, one in names.items()}
        run = self._store.commit(held.id, held.fence, held.owner or "", files, saved.epoch, saved.step)
        kept = self._kept(run, held)
        try:
            discard(self._storage.run(held.id), held.checkpoints, names)
        except StorageUnavailable as error:
            logger.warning("Run %s: %s", held.id, error.message)
        return kept

    def _write(self, record: Run) -> None:
        """A run's mirror is its record, and the names under which its checkpoints, metrics and results are
        found."""
        super()._write(record)
        folder = self._storage.run(record.id)
        if record.metrics_of:
            place_rows(folder, record.metrics_of)
        if record.results_of and record.status not in TO_TRAIN:
            place_results(folder, record.results_of)
        if record.checkpoints:
            place(folder, record.checkpoints)

    def _signalled(self, outcome: str, found: dict[str, str], run_id: str, verb: str) -> Run:
        if outcome == "missing":
            raise self.absent(run_id)
        run = self._store.codec.from_hash(found)
        if outcome == "refused":
            raise refusal(run, verb)
        return self._mirrored(run)


def refusal(run: Run, verb: str) -> Conflict:
    """What a client is told whose wish, such as `stopped`, makes no sense in the status of the run."""
    return Conflict(
        f"Run {run.id} is {run.status} and cannot be {verb}.",
        remedy=FINISHING_REMEDY if run.status == RunStatus.FINISHING else None,
        errors={"status": run.status},
    )


def status_event(run: Run) -> StatusChanged:
    """What followers are told of the status that a run has entered."""
    return StatusChanged(status=run.status, revision=run.revision, error=run.error)
