"""One attempt at a run, from the job to its result. Knows neither queue, store nor web."""

import logging
from collections.abc import Callable
from dataclasses import replace

from trainyard.errors import InvalidModel, OutOfMemory
from trainyard.runs.events import Notice, without_speed
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from trainyard.storage.run_results import clear_results
from workers.training.after_training import finish
from workers.training.compute.memory import release_memory, with_half_the_batch
from workers.training.compute.runtime import has_jemalloc, prepare_process, quiet_lightning
from workers.training.engine.attempt import Attempt, Report, batch_settled, build_attempt
from workers.training.engine.ddp import other_ranks
from workers.training.engine.train import Trained, train
from workers.training.job import FinishingJob, TrainingJob, TrainingResult

logger = logging.getLogger(__name__)

_JEMALLOC = (
    "jemalloc is preloaded into this worker; training on a CPU runs at up to half its speed with it: start "
    "the worker without it (LD_PRELOAD)."
)


def fit(job: TrainingJob, report: Report, signals: Callable[[], Signals]) -> TrainingResult:
    """Train as `fit_epochs`, then write what a trained run owes, in this process and on its device.

    This is the way without a service. Raises as `fit_epochs` and `finish`.
    """
    attempt, result = _fit_epochs(job, report, signals)
    if result.status != "completed":
        return result
    owed = _owed(attempt, result)
    del attempt
    release_memory()
    return replace(result, export=finish(owed, report))


def fit_epochs(job: TrainingJob, report: Report, signals: Callable[[], Signals]) -> TrainingResult:
    """Train until the epoch target or a stop.

    `report` takes events as they happen; `signals` returns the newest wishes, at once and from any thread.
    Raises TrainyardError: InvalidModel, InvalidRequest, BadDataset or WeightsUnavailable before training,
    NanLoss, StorageUnavailable or OutOfMemory while it goes on.
    """
    return _fit_epochs(job, report, signals)[1]


def _fit_epochs(
    job: TrainingJob, report: Report, signals: Callable[[], Signals]
) -> tuple[Attempt, TrainingResult]:
    prepare_process(job.threads_per_rank)
    quiet_lightning()
    report(without_speed("starting", epoch=0, epochs=job.epochs, step=0))
    if has_jemalloc():
        report(Notice(message=_JEMALLOC))
    if not job.resume_from:
        clear_results(RunFolder(job.folder))
    attempt, trained = _train_within_memory(job, report, signals)
    best = attempt.history.best
    return attempt, TrainingResult(
        status=trained.status,
        target=trained.target,
        epoch=trained.epoch,
        step=trained.step,
        best_epoch=best["epoch"] if best else None,
        best=best or {},
        images_per_second=trained.images_per_second,
        export=None,
    )


def _owed(attempt: Attempt, result: TrainingResult) -> FinishingJob:
    """What is left to be done with the checkpoints of an attempt."""
    job, saved = attempt.job, attempt.saved
    return FinishingJob(
        folder=job.folder,
        prepared=job.prepared,
        checkpoints=tuple(file for file in (saved.best, saved.newest) if file),
        export=job.spec.export,
        threads=job.threads,
        epoch=result.epoch,
        step=result.step,
        epochs=result.target,
        content_hash=job.content_hash,
        device_class=job.device_class,
    )


def _train_within_memory(
    job: TrainingJob, report: Report, signals: Callable[[], Signals]
) -> tuple[Attempt, Trained]:
    """Train; when memory runs out, go on from the last checkpoint with half the batch, and say so."""
    attempt = build_attempt(job, report)
    while attempt.has_epochs_left:
        try:
            return attempt, _train(attempt, report, signals)
        except OutOfMemory as error:
            ran_out = type(error)
            newest, best = attempt.saved.newest, attempt.saved.best
            job = replace(
                attempt.job,
                spec=with_half_the_batch(attempt.job.spec, ran_out),
                resume_from=(newest,) if newest else (),
                best=best,
            )
        # Out here, where the error and the frames that it came through hold on to nothing any more.
        del attempt
        release_memory()
        settled = batch_settled(job.spec)
        report(settled)
        report(
            Notice(
                message=f"The device ran out of memory; going on from the last checkpoint with batches of "
                f"{settled.batch_size} and steps of {settled.accumulate_batches} batches."
            )
        )
        try:
            attempt = build_attempt(job, report)
        except InvalidModel as error:
            raise ran_out(f"Twice the batch does not fit the device. {error.message}") from error
    done = Trained(
        status="completed",
        target=attempt.job.epochs,
        epoch=attempt.done,
        step=attempt.step,
        images_per_second=None,
    )
    return attempt, done


def _train(attempt: Attempt, report: Report, signals: Callable[[], Signals]) -> Trained:
    """Train on all devices of the spec; an error of any rank is this one's."""
    with other_ranks(attempt.job) as ranks:
        try:
            return train(attempt, report, signals, ranks.first)
        except RuntimeError as error:
            # What the first rank sees of another's failure is a broken connection.
            if (reason := ranks.failure()) is not None:
                raise reason from error
            raise
