"""Supervises one run: its child trains, this side alone speaks to Redis, every write fenced."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from trainyard import events
from trainyard.checkpoints import BEST, Checkpoint, newest_first
from trainyard.errors import ChildDied, OwnershipLost, StorageUnavailable, StoreUnavailable, TrainyardError
from trainyard.event_log import publish
from trainyard.lease import Ownership
from trainyard.registry import RunRegistry
from trainyard.runs import Run, RunStatus
from trainyard.signals import Signals
from trainyard.spec import TrainingSpec
from trainyard.storage import Storage
from workers.attempt_files import AttemptFiles
from workers.child import Child, Message
from workers.job_message import job_to_message
from workers.training.job import SavedFile, TrainingJob

logger = logging.getLogger(__name__)

TRAINING_CHILD = "workers.training_child"
TICK_S = 0.2
"""How often the store is asked for signals and told of progress."""
PROGRESS_EVERY_S = 1.0
"""How often progress goes into the event stream."""
RETRY_S = 1.0
"""Pause before a write is tried again while Redis is away."""
RAISED = 1
"""Exit code of a Python process that ended with an exception."""
EXIT_GRACE_S = 30.0
"""How long a child may take to end after its result."""
LOG_TAIL_LINES = 50
DRAIN_S = 15.0
"""How long a child may take to save and leave when its worker shuts down."""
SAVING_STAGES = ("train", "val")
"""In the others a child has nothing to save that is not saved yet."""


class RunSupervisor:
    """Trains one claimed run to its end, or gives it back when the worker drains."""

    def __init__(
        self,
        runs: RunRegistry,
        storage: Storage,
        threads: int,
        draining: threading.Event,
        run: Run,
        ownership: Ownership,
    ) -> None:
        self._runs = runs
        self._storage = storage
        self._threads = threads
        self._draining = draining
        self._run = run
        self._ownership = ownership
        self._is_paused = False
        self._folder = storage.run(run.id)
        self._files = AttemptFiles(self._folder, run.fence)
        self._outbox: deque[events.Event] = deque()
        self._progress: events.Progress | None = None
        self._streamed_at = 0.0
        self._signals = Signals()
        self._told = Signals()
        self._stage: events.Stage = "starting"
        self._drain_until: float | None = None
        self._outcome: Message = {}

    def supervise(self) -> None:
        """Returns when the run has ended, or is another's, or is back in its queue."""
        try:
            self._files.begin(self._run.checkpoints)
            self._runs.publish_status(self._run)
            self._train()
        except OwnershipLost as error:
            logger.warning("%s", error.message)
        except TrainyardError as error:
            self._end(RunStatus.FAILED, error=self._failure(error.to_dict()))

    def _train(self) -> None:
        child = Child(TRAINING_CHILD, job_to_message(self._job()), self._ownership.until)
        try:
            while child.is_open and not self._outcome and not self._gives_up():
                for message in child.messages(TICK_S):
                    self._receive(message)
                self._exchange(child)
                self._tell(child)
        finally:
            if not self._outcome:
                child.kill()
            code = child.wait(EXIT_GRACE_S)
        drained = self._outcome.get("result", {}).get("status") == "drained"
        if drained or (self._draining.is_set() and not self._outcome):
            self._give_back()
        else:
            self._conclude(code)

    def _job(self) -> TrainingJob:
        run = self._run
        return TrainingJob(
            run_id=run.id,
            spec=run.spec,
            epochs=run.epochs,
            folder=self._files.path,
            prepared=self._storage.dataset(run.dataset_id).version(run.dataset_hash),
            weights_file=weights_file(self._storage, run.spec),
            threads=self._threads,
            resume_from=tuple(map(self._saved, newest_first(run.checkpoints))),
            best=self._saved(run.checkpoints[BEST]) if BEST in run.checkpoints else None,
        )

    def _saved(self, one: Checkpoint) -> SavedFile:
        return SavedFile(path=self._folder.path / one.file, epoch=one.epoch, sha256=one.sha256)

    def _gives_up(self) -> bool:
        """Whether the worker shuts down and the child has nothing to save, or takes too long to."""
        if not self._draining.is_set():
            return False
        now = time.monotonic()
        self._drain_until = self._drain_until or now + DRAIN_S
        return self._stage not in SAVING_STAGES or now > self._drain_until

    def _receive(self, message: Message) -> None:
        if "event" not in message:
            self._outcome = message
            return
        event = events.from_dict(message["event"])
        if isinstance(event, events.Progress):
            self._progress, self._stage = event, event.stage
        else:
            self._outbox.append(event)

    def _exchange(self, child: Child) -> None:
        """Renew the lease, tell what is new, learn what is wished.

        While Redis is away, training goes on until the lease is about to lapse; then it is halted, and goes
        on when Redis answers that the run is still this attempt's. Raises OwnershipLost when it is not.
        """
        asked_at = time.monotonic()
        try:
            signals = self._runs.report(self._run, self._progress)
            self._ownership.renew(asked_at)
            self._post()
            self._files.carry_log()
            self._stream_progress()
        except StoreUnavailable as error:
            logger.warning("Run %s is without Redis: %s", self._run.id, error.message)
            self._halt_if_lapsed(child)
            return
        child.allow(self._ownership.until)
        if self._is_paused:
            logger.warning("Run %s goes on.", self._run.id)
            child.go_on()
            self._is_paused = False
        self._signals = signals

    def _tell(self, child: Child) -> None:
        """Pass on what clients wish, and that the worker shuts down."""
        wished = replace(self._signals, drain=self._draining.is_set())
        if wished != self._told:
            self._told = wished
            child.send(asdict(wished))

    def _halt_if_lapsed(self, child: Child) -> None:
        if self._ownership.has_lapsed and not self._is_paused:
            logger.warning("Run %s is halted: its lease may lapse.", self._run.id)
            child.pause()
            self._is_paused = True

    def _stream_progress(self) -> None:
        now = time.monotonic()
        if self._progress and now - self._streamed_at >= PROGRESS_EVERY_S:
            self._runs.live.append(self._run.id, self._progress)
            self._progress, self._streamed_at = None, now

    def _post(self) -> None:
        while self._outbox:
            event = self._outbox[0]
            self._record(event)
            publish(self._runs.live, self._folder, self._run.id, event)
            self._outbox.popleft()

    def _record(self, event: events.Event) -> None:
        """What of an event belongs to the record, which is fenced and goes first, and to the run's files."""
        if isinstance(event, events.EpochEnd):
            self._run = self._runs.update(self._run, epoch=event.epoch, step=event.step)
            self._files.add_row(event.metrics)
        elif isinstance(event, events.CheckpointSaved):
            file = (self._files.path / event.stored).relative_to(self._folder.path).as_posix()
            self._run = self._runs.commit(self._run, event, file)
            self._files.place_board()
        elif isinstance(event, events.Began):
            *earlier, present = self._run.attempts
            history = [*earlier, replace(present, device=event.device)]
            self._run = self._runs.update(self._run, attempts=[asdict(one) for one in history])
        elif isinstance(event, events.Notice):
            self._run = self._runs.update(self._run, notices=[*self._run.notices, event.message])

    def _conclude(self, code: int | None) -> None:
        self._until_answered(self._catch_up)
        if "result" in self._outcome:
            result = self._outcome["result"]
            self._files.place_board()
            self._files.place_results()
            self._end(RunStatus(result["status"]), result=result, epoch=result["epoch"], step=result["step"])
        elif "error" in self._outcome:
            self._end(RunStatus.FAILED, error=self._failure(self._outcome["error"]))
        else:
            self._conclude_crash(code)

    def _catch_up(self) -> None:
        """Tell all that the child has said, if the run is still this attempt's."""
        self._runs.renew(self._run)
        self._post()
        self._files.carry_log()

    def _conclude_crash(self, code: int | None) -> None:
        """A killed process may do better at another try, one that raised an error would raise it again."""
        said = "".join(f" Its log ends: {line}" for line in log_tail(self._folder.log)[-1:])
        died = ChildDied(f"The training process ended with exit code {code} and no result.{said}")
        if code == RAISED:
            self._end(RunStatus.FAILED, error=self._failure(died.to_dict()))
            return
        self._until_answered(self._post)
        self._until_answered(lambda: self._runs.publish_status(self._runs.crash(self._run, died)))

    def _failure(self, error: dict[str, Any]) -> dict[str, Any]:
        """The error with what helps to understand it."""
        return {**error, "attempt": self._run.fence, "log_tail": log_tail(self._folder.log)}

    def _end(self, status: RunStatus, **values: Any) -> None:
        def finish() -> None:
            self._runs.publish_status(self._runs.finish(self._run, status, **values))

        self._until_answered(self._post)
        self._until_answered(finish)

    def _give_back(self) -> None:
        """The worker shuts down: the run waits again and goes on from its last checkpoint."""
        self._until_answered(self._catch_up)
        self._until_answered(lambda: self._runs.publish_status(self._runs.release(self._run)))

    def _until_answered(self, write: Callable[[], None]) -> None:
        """Try until Redis answers. Redis decides: where only storage fails, its copy stays behind."""
        while True:
            try:
                write()
            except StoreUnavailable as error:
                logger.warning("The end of run %s waits for Redis: %s", self._run.id, error.message)
                time.sleep(RETRY_S)
            except StorageUnavailable as error:
                logger.error("Run %s: %s", self._run.id, error.message)
                return
            else:
                return


def weights_file(storage: Storage, spec: TrainingSpec) -> Path | None:
    """The file that the spec names; raises InvalidRequest where it is absent."""
    prefix, _, name = spec.model.encoder_weights.partition(":")
    return storage.weights_file(name) if prefix == "file" else None


def log_tail(path: Path) -> list[str]:
    """The last lines of a log, oldest first; none where there is no log."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=LOG_TAIL_LINES)]
