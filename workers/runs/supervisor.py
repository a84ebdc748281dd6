"""Supervises one run: its child trains, this side alone speaks to Redis, every write fenced."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from trainyard.errors import ChildDied, DeviceFault, OwnershipLost, StoreUnavailable, TrainyardError
from trainyard.lease import Ownership
from trainyard.registry.runs import RunRegistry, status_event
from trainyard.runs import events
from trainyard.runs.checkpoints import BEST, LAST, Checkpoint, newest_first
from trainyard.runs.failures import another_try_helps
from trainyard.runs.fork_origin import origin_file
from trainyard.runs.record import Run, RunStatus
from trainyard.runs.signals import Signals
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from trainyard.storage.run_results import discard_work
from workers.devices.device_class import device_figures
from workers.devices.gpu_check import needs_gpu
from workers.prepared.recorded import open_version
from workers.process.child import FENCED, ORPHANED, TRAINING_CHILD, Child, Message
from workers.process.exit_diagnosis import PostMortem
from workers.process.lease_guard import LeaseGuard
from workers.process.store_retry import until_answered
from workers.runs.device_watch import DeviceWatch
from workers.runs.drain_time import DrainTime
from workers.runs.files.attempt_files import AttemptFiles
from workers.runs.files.lagging_files import LaggingFiles
from workers.runs.files.weights_file import encoder_folder, weights_file
from workers.runs.job_message import job_to_message
from workers.runs.reports import RunReports
from workers.runs.revocation import Revocation
from workers.runs.time_limit import RunningTime
from workers.training.job import SavedFile, TrainingJob

logger = logging.getLogger(__name__)

TICK_S = 0.5
"""How often the store is asked for signals and told of progress."""
RENEW_S = 0.9 * TICK_S
"""How long a renewal is enough for what the child says meanwhile: every tick has one."""
USED_TIME_EVERY_S = 60.0
"""How often the time used goes into the record: a worker that is lost forgets no more of it."""
EXIT_GRACE_S = 30.0
"""How long a child may take to end after its result."""
STUCK = "The {process} was killed and does not end: it is stuck in a driver, or in storage."
SAVING_STAGES = ("train", "val")
"""In the others a child has nothing to save that is not saved yet."""


class RunSupervisor:
    """Trains one claimed run to its end, or gives it back when the worker drains."""

    process = "training process"
    """What its child is called where it is told of."""

    def __init__(
        self,
        runs: RunRegistry,
        storage: Storage,
        threads: int,
        draining: threading.Event,
        run: Run,
        ownership: Ownership,
        max_hours: float | None = None,
        is_revoked: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_revoked` tells whether an operator wants this attempt to end (`revocation.py`)."""
        self._runs = runs
        self._storage = storage
        self._threads = threads
        self._draining = draining
        self._ownership = ownership
        self._time = RunningTime(run, max_hours)
        self._time_kept_at = time.monotonic()
        self._folder = storage.run(run.id)
        self._files = AttemptFiles(self._folder, run.fence)
        self._reports = RunReports(runs, run, self._folder, self._files)
        self._devices = DeviceWatch(
            lambda: device_figures((run.queue,), os.environ.get("CUDA_VISIBLE_DEVICES")),
            run.spec.compute.device_places,
            run.spec.compute.device_count,
        )
        self._revocation = Revocation(runs, self._reports, is_revoked)
        self.ended: Run | None = None
        """The record as this attempt left it, once that is decided."""
        self._lagging = LaggingFiles(
            run.id, self._reports.keep, self._files.carry_log, self._files.place_board
        )
        self._signals = Signals()
        self._told = Signals()
        self._renew_at = 0.0
        self._drain_until: float | None = None
        last = run.checkpoints.get(LAST)
        self._drain_time = DrainTime(last.bytes if last else None)
        self._outcome: Message = {}
        self._has_failed = False
        self._post_mortem = PostMortem(self._files.own.log, self.process)

    @property
    def _run(self) -> Run:
        return self._reports.run

    @property
    def has_failed(self) -> bool:
        """Whether the attempt broke and no user is to blame: it may have been the device it trained on."""
        return self._has_failed

    def supervise(self) -> None:
        """Returns when the run has ended, or is another's, or is back in its queue."""
        try:
            self._attempt()
        except OwnershipLost as error:
            logger.warning("%s", error.message)

    def _attempt(self) -> None:
        try:
            self._files.begin(self._run.checkpoints, self._run.metrics_of)
            self._announce()
            self._work()
        except OwnershipLost:
            raise
        except TrainyardError as error:
            self._fail(error.to_dict())
        except OSError as error:
            self._fail(storage_error("The files of this attempt could not be used", error).to_dict())

    def _announce(self) -> None:
        # Told with the first renewal: a Redis that is away just now keeps no claimed run from training.
        self._reports.add(status_event(self._run))

    def _work(self) -> None:
        if self._time.is_over(self._run):
            raise self._time.error(self._run)
        child = self._child()
        guard = LeaseGuard(child, self._ownership, self._run.id)
        try:
            with guard:
                self._watch(child, guard)
        finally:
            if guard.is_halted or not self._outcome:
                child.kill()
            code = child.wait(EXIT_GRACE_S)
        drained = self._outcome.get("result", {}).get("status") == "drained"
        if self._signals.cancel:
            discard_work(self._folder)  # before the record says so
            self._end(RunStatus.CANCELLED)
        elif drained or (self._draining.is_set() and not self._outcome):
            self._give_back("drained")
        else:
            self._conclude(code)

    def _watch(self, child: Child, guard: LeaseGuard) -> None:
        while child.is_open and not self._outcome and not self._must_end():
            for message in child.messages(TICK_S):
                self._receive(message)
            self._post_mortem.watch(child.pid)
            self._exchange(guard)
            self._tell(child)
            self._devices.look()

    def _must_end(self) -> bool:
        """Whether the child is to be ended from here: it does not do so itself, or not in time."""
        return self._signals.cancel or self._time.is_grace_over(self._run) or self._gives_up()

    def _gives_up(self) -> bool:
        """Whether the worker shuts down and the child has nothing to save, or takes too long to."""
        if not self._draining.is_set():
            return False
        now = time.monotonic()
        self._drain_until = self._drain_until or now + self._drain_time.seconds
        return self._reports.stage not in SAVING_STAGES or now > self._drain_until

    def _child(self) -> Child:
        return Child(TRAINING_CHILD, job_to_message(self._job()), self._ownership.until)

    @property
    def _device_class(self) -> str:
        return self._run.queue

    @property
    def _prepared(self) -> Path:
        return self._storage.dataset(self._run.dataset_id).version(self._run.dataset_hash)

    def _job(self) -> TrainingJob:
        run = self._run
        return TrainingJob(
            run_id=run.id,
            spec=run.spec,
            epochs=run.epochs,
            folder=self._files.own.path,
            content_hash=run.dataset_hash,
            prepared=self._prepared,
            weights_file=weights_file(self._storage, run.spec),
            encoder_folder=encoder_folder(self._storage, run.spec),
            threads=self._threads,
            device_class=self._device_class,
            resume_from=tuple(map(self._saved, newest_first(run.checkpoints))),
            best=self._saved(run.checkpoints[BEST]) if BEST in run.checkpoints else None,
            init_checkpoint=origin_file(self._folder, run.forked_from) if run.forked_from else None,
        )

    def _saved(self, one: Checkpoint) -> SavedFile:
        return SavedFile(path=self._folder.path / one.file, epoch=one.epoch, sha256=one.sha256)

    def _receive(self, message: Message) -> None:
        if "event" in message:
            event = events.from_dict(message["event"])
            if isinstance(event, events.EpochEnd):
                event = replace(event, metrics=event.metrics | self._devices.of_epoch())
            self._reports.add(event)
            if isinstance(event, events.CheckpointSaved):
                self._drain_time.note(event)
        else:
            self._outcome = message

    def _exchange(self, guard: LeaseGuard) -> None:
        """Renew the lease, tell what is new, learn what is wished.

        While Redis is away or does not answer, training goes on until the lease is about to lapse; then the
        guard halts it, and it goes on when Redis answers that the run is still this attempt's. Raises
        OwnershipLost when it is not.
        """
        try:
            if time.monotonic() >= self._renew_at:
                self._renew_lease(guard)
            self._revocation.pass_on()
            self._reports.post()
            self._lagging.catch_up()
            self._reports.stream_progress()
            self._keep_time()
        except StoreUnavailable as error:
            logger.warning("Run %s is without Redis: %s", self._run.id, error.message)

    def _renew_lease(self, guard: LeaseGuard) -> None:
        asked_at = time.monotonic()
        self._signals = self._runs.report(self._run, self._reports.progress)
        self._ownership.renew(asked_at)
        guard.renewed()
        self._renew_at = asked_at + RENEW_S

    def _tell(self, child: Child) -> None:
        """Pass on what clients wish, that the time is over, and that the worker shuts down."""
        wished = replace(self._time.wished(self._run, self._signals), drain=self._draining.is_set())
        if wished != self._told:
            self._told = wished
            child.send(asdict(wished))

    def _keep_time(self) -> None:
        if time.monotonic() - self._time_kept_at >= USED_TIME_EVERY_S:
            self._with_time_used()
            self._time_kept_at = time.monotonic()

    def _with_time_used(self) -> Run:
        return self._reports.update(used_seconds=self._time.used_seconds)

    def _conclude(self, code: int | None) -> None:
        self._flush()
        if "result" in self._outcome:
            self._conclude_result(self._outcome["result"])
        elif "error" in self._outcome:
            self._fail(self._post_mortem.explained(self._outcome["error"]))
        elif self._time.is_grace_over(self._run):
            self._fail(self._time.error(self._run).to_dict())
        elif code in (FENCED, ORPHANED):
            self._give_back("fenced")  # it ended itself for want of word from here, and is not to blame
        else:
            if code is None:
                raise (DeviceFault if needs_gpu(self._device_class) else ChildDied)(
                    STUCK.format(process=self.process)
                )
            self._check_mapped_files(code)
            self._fail(self._post_mortem.cause_of_death(code).to_dict())

    def _check_mapped_files(self, code: int | None) -> None:
        """Where a mapped file could not be read on: raises what has become of the data set, if anything."""
        if code == -signal.SIGBUS:
            open_version(self._prepared, self._run.dataset_hash)

    def _conclude_result(self, result: dict[str, Any]) -> None:
        """A run that stopped although no client wished it had used up its time."""
        epoch, step = result["epoch"], result["step"]
        if result["status"] == RunStatus.STOPPED and self._signals.stop is None:
            self._fail(self._time.error(self._run).to_dict(), epoch=epoch, step=step)
        elif result["status"] == RunStatus.COMPLETED:
            self._hand_over(result)
        else:
            self._end(RunStatus(result["status"]), result=result, epoch=epoch, step=step)

    def _fail(self, error: dict[str, Any], **values: Any) -> None:
        """The run waits for another attempt where that may help, and has failed otherwise."""
        self._has_failed = error["cause"] == "infrastructure"
        if not self._ownership.has_lapsed:
            self._files.drop_unfinished()
        failure = self._post_mortem.failure(error, self._run.fence)
        if another_try_helps(error["code"]):
            self._conclude_by(lambda: self._runs.crash(self._with_time_used(), failure))
        else:
            self._end(RunStatus.FAILED, error=failure, **values)

    def _end(self, status: RunStatus, **values: Any) -> None:
        used = self._time.used_seconds
        self._conclude_by(lambda: self._runs.finish(self._run, status, used_seconds=used, **values))

    def _hand_over(self, result: dict[str, Any]) -> None:
        """Leave what the run owes to whoever finishes it, or give it back where its target was raised after
        training had ended."""
        reached = {"epoch": result["epoch"], "step": result["step"]}
        values = {"result": result, "used_seconds": self._time.used_seconds, **reached}
        self._conclude_by(lambda: self._runs.hand_over(self._run, result["target"], **values))

    def _give_back(self, reason: str) -> None:
        """The run waits again and goes on from its last checkpoint; no crash is counted."""
        self._conclude_by(lambda: self._runs.release(self._with_time_used(), reason))

    def _conclude_by(self, decide: Callable[[], Run]) -> None:
        """Tell all that the child has said, let Redis decide what becomes of the run, and tell its followers.

        Each waits for Redis by itself: what has been decided cannot be decided again.
        """
        decided: list[Run] = []
        self._flush()
        self._until_answered(lambda: decided.append(decide()))
        for run in decided:
            self.ended = run
            self._until_answered(lambda: self._runs.publish_status(run))  # noqa: B023 - called at once

    def _flush(self) -> None:
        """Tell all that the child has said, also where storage takes none of it."""
        while not self._reports.are_told:
            self._until_answered(self._catch_up)
        self._files.board_is_due = True
        self._lagging.settle(lambda: self._until_answered(lambda: self._renew()))

    def _until_answered(self, write: Callable[[], None]) -> None:
        until_answered(write, self._run.id, self._draining)

    def _catch_up(self) -> None:
        self._renew()
        self._reports.post()

    def _renew(self) -> None:
        self._runs.renew(self._run)
