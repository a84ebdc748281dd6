"""Supervises one run: its child trains, this side alone speaks to Redis, every write fenced."""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from trainyard import events
from trainyard.errors import (
    OwnershipLost,
    StorageUnavailable,
    StoreUnavailable,
    TrainyardError,
)
from trainyard.event_log import publish
from trainyard.failures import another_try_helps
from trainyard.fork_origin import origin_file
from trainyard.half_made import remove_half_made
from trainyard.lease import Ownership
from trainyard.registry import RunRegistry
from trainyard.run_results import clear_results, discard_work
from trainyard.runs import Run, RunStatus
from trainyard.signals import Signals
from trainyard.storage import RunFolder, Storage, read_json, write_json
from workers.child import Child, Message
from workers.job_message import job_to_message
from workers.post_mortem import PostMortem
from workers.recorded_version import open_version
from workers.time_limit import RunningTime
from workers.training.job import TrainingJob
from workers.weights_file import weights_file

logger = logging.getLogger(__name__)

TRAINING_CHILD = "workers.training_child"
TICK_S = 0.2
"""How often the store is asked for signals and told of progress."""
PROGRESS_EVERY_S = 1.0
"""How often progress goes into the event stream."""
RETRY_S = 1.0
"""Pause before a write is tried again while Redis is away."""
USED_TIME_EVERY_S = 60.0
"""How often the time used goes into the record: a worker that is lost forgets no more of it."""
EXIT_GRACE_S = 30.0
"""How long a child may take to end after its result."""


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
        max_hours: float | None = None,
    ) -> None:
        self._runs = runs
        self._storage = storage
        self._threads = threads
        self._draining = draining
        self._run = run
        self._ownership = ownership
        self._time = RunningTime(run, max_hours)
        self._time_kept_at = time.monotonic()
        self._is_paused = False
        self._folder = storage.run(run.id)
        self._outbox: deque[events.Event] = deque()
        self._progress: events.Progress | None = None
        self._streamed_at = 0.0
        self._signals = Signals()
        self._sent = Signals()
        self._outcome: Message = {}
        self._post_mortem = PostMortem(self._folder.log)

    def supervise(self) -> None:
        """Returns when the run has ended, or is another's, or is back in its queue."""
        try:
            self._attempt()
        except OwnershipLost as error:
            logger.warning("%s", error.message)

    def _attempt(self) -> None:
        try:
            self._runs.publish_status(self._run)
            if self._run.starts_afresh:
                clear_results(self._folder)
                self._run = self._runs.update(self._run, starts_afresh=False)
            self._train()
        except OwnershipLost:
            raise
        except TrainyardError as error:
            self._fail(error.to_dict())

    def _train(self) -> None:
        if self._time.is_over(self._run):
            raise self._time.error(self._run)
        child = Child(TRAINING_CHILD, job_to_message(self._job()), self._ownership.until)
        try:
            while child.is_open and not self._outcome and not self._must_end():
                for message in child.messages(TICK_S):
                    self._receive(message)
                self._post_mortem.watch(child.pid)
                self._exchange(child)
        finally:
            if not self._outcome:
                child.kill()
            code = child.wait(EXIT_GRACE_S)
        if self._signals.cancel:
            discard_work(self._folder)  # before the record says so
            self._end(RunStatus.CANCELLED)
        elif self._draining.is_set() and not self._outcome:
            self._give_back()
        else:
            self._conclude(code)

    def _must_end(self) -> bool:
        """Whether the child is to be ended from here: it does not do so itself, or not in time."""
        return self._signals.cancel or self._draining.is_set() or self._time.is_grace_over(self._run)

    def _job(self) -> TrainingJob:
        run = self._run
        return TrainingJob(
            run_id=run.id,
            spec=run.spec,
            epochs=run.epochs,
            folder=self._folder.path,
            content_hash=run.dataset_hash,
            prepared=self._storage.dataset(run.dataset_id).version(run.dataset_hash),
            weights_file=weights_file(self._storage, run.spec),
            threads=self._threads,
            resume=self._folder.last_checkpoint.exists(),
            init_checkpoint=origin_file(self._folder, run.forked_from) if run.forked_from else None,
        )

    def _receive(self, message: Message) -> None:
        if "event" not in message:
            self._outcome = message
            return
        event = events.from_dict(message["event"])
        if isinstance(event, events.Progress):
            self._progress = event
        else:
            if isinstance(event, events.EpochEnd):
                append_row(self._folder, event.metrics)
            self._outbox.append(event)

    def _exchange(self, child: Child) -> None:
        """Renew the lease, tell what is new, pass on what is wished.

        While Redis is away, training goes on until the lease is about to lapse; then it is halted, and goes
        on when Redis answers that the run is still this attempt's. Raises OwnershipLost when it is not.
        """
        asked_at = time.monotonic()
        try:
            signals = self._runs.report(self._run, self._progress)
            self._ownership.renew(asked_at)
            self._post()
            self._stream_progress()
            self._keep_time()
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
        wished = self._time.wished(self._run, signals)
        if wished != self._sent:
            self._sent = wished
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
            try:
                publish(self._runs.live, self._folder, self._run.id, event)
            except StorageUnavailable:
                self._outbox.popleft()  # those who follow the run have it, only the file lacks it
                raise
            self._outbox.popleft()

    def _keep_time(self) -> None:
        if time.monotonic() - self._time_kept_at >= USED_TIME_EVERY_S:
            self._run = self._with_time_used()
            self._time_kept_at = time.monotonic()

    def _with_time_used(self) -> Run:
        return self._runs.update(self._run, used_seconds=self._time.used_seconds)

    def _record(self, event: events.Event) -> None:
        """What of an event belongs to the record."""
        if isinstance(event, events.EpochEnd):
            self._run = self._runs.update(self._run, epoch=event.epoch, step=event.step)
        elif isinstance(event, events.Notice):
            self._run = self._runs.update(self._run, notices=[*self._run.notices, event.message])
        elif isinstance(event, events.WeightsLoaded) and self._run.forked_from:
            origin = replace(self._run.forked_from, **asdict(event))
            self._run = self._runs.update(self._run, forked_from=asdict(origin))

    def _conclude(self, code: int | None) -> None:
        if "result" in self._outcome:
            self._conclude_result(self._outcome["result"])
        elif "error" in self._outcome:
            self._fail(self._outcome["error"])
        elif self._time.is_grace_over(self._run):
            self._fail(self._time.error(self._run).to_dict())
        else:
            self._check_mapped_files(code)
            self._fail(self._post_mortem.cause_of_death(code).to_dict())

    def _check_mapped_files(self, code: int | None) -> None:
        """Where a mapped file could not be read on: raises what has become of the data set, if anything."""
        if code == -signal.SIGBUS:
            job = self._job()
            open_version(job.prepared, job.content_hash)

    def _conclude_result(self, result: dict[str, Any]) -> None:
        """A run that stopped although no client wished it had used up its time."""
        epoch, step = result["epoch"], result["step"]
        if result["status"] == RunStatus.STOPPED and self._signals.stop is None:
            self._fail(self._time.error(self._run).to_dict(), epoch=epoch, step=step)
        else:
            self._end(RunStatus(result["status"]), result=result, epoch=epoch, step=step)

    def _fail(self, error: dict[str, Any], **values: Any) -> None:
        """The run waits for another attempt where that may help, and has failed otherwise."""
        if not self._ownership.has_lapsed:
            remove_half_made(self._folder)
        failure = self._post_mortem.failure(error, self._run.fence)
        if another_try_helps(error["code"]):
            self._flush()
            self._until_answered(
                lambda: self._runs.publish_status(self._runs.crash(self._with_time_used(), failure))
            )
        else:
            self._end(RunStatus.FAILED, error=failure, **values)

    def _end(self, status: RunStatus, **values: Any) -> None:
        def finish() -> None:
            used = self._time.used_seconds
            ended = self._runs.finish(self._run, status, used_seconds=used, **values)
            self._runs.publish_status(ended)

        self._flush()
        self._until_answered(finish)

    def _give_back(self) -> None:
        """The worker shuts down: the run waits again and goes on from its last finished epoch."""
        self._flush()
        self._until_answered(lambda: self._runs.publish_status(self._runs.release(self._with_time_used())))

    def _flush(self) -> None:
        """Post what is left, also where events.jsonl takes none of it."""
        while self._outbox:
            self._until_answered(self._post)

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


def append_row(folder: RunFolder, row: dict[str, Any]) -> None:
    """Add an epoch's row to metrics.json; an epoch that is trained again replaces its row and later ones."""
    rows = read_json(folder.metrics_json)["rows"] if folder.metrics_json.exists() else []
    kept = [earlier for earlier in rows if earlier["epoch"] < row["epoch"]]
    write_json(folder.metrics_json, {"rows": [*kept, row]})
