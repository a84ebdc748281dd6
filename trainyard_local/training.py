"""Trains an experiment with the engine, in this process, and keeps what it reports."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from trainyard.catalog.names import CPU
from trainyard.errors import TrainyardError
from trainyard.log_format import UtcFormatter
from trainyard.runs.events import EpochEnd, Event
from trainyard.runs.record import RunStatus
from trainyard.runs.signals import Signals
from trainyard.tasks.registry import task_named
from trainyard_local.curves import write_curves
from trainyard_local.record import Begun
from trainyard_local.result import TrainingResult
from workers.process.environment import keep_gpus
from workers.training import job
from workers.training.checkpoints.local_checkpoints import LocalCheckpoints
from workers.training.fit import fit
from workers.training.log_lines import describe
from workers.training.typed_errors import EXPECTED, typed_error

logger = logging.getLogger(__name__)

_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def train(begun: Begun, report: Callable[[Event], None], signals: Callable[[], Signals]) -> TrainingResult:
    """Train until the target or a stop; raises TrainyardError as the engine does, once the record says so."""
    record, started = begun.record, time.monotonic()
    keep_last = record.run.spec.checkpoints.keep_last
    checkpoints = LocalCheckpoints(begun.folder, keep_last, resume=record.run.fence > 0)

    def take(event: Event) -> None:
        checkpoints.take(event)
        record.take(event, checkpoints.held)
        if line := describe(event):
            logger.info("%s", line)
        if isinstance(event, EpochEnd):
            write_curves(begun.folder, record.rows, task_named(record.run.spec.task))
        report(event)

    with _logged(begun.folder.log):
        record.begin(begun.device or record.run.queue)
        try:
            result = fit(_job(begun, checkpoints), take, signals)
        except BaseException as raised:
            error = typed_error(raised) if isinstance(raised, EXPECTED) else None
            _end(begun, raised, error)
            if error is None:
                raise
            raise error from raised
    record.end(RunStatus(result.status), result=asdict(result), epoch=result.epoch, step=result.step)
    return _result(begun, result, time.monotonic() - started)


def _job(begun: Begun, checkpoints: LocalCheckpoints) -> job.TrainingJob:
    run = begun.record.run
    if begun.device != CPU:
        keep_gpus(os.environ, run.spec.compute.device_places)
    # Without a service they are named by their paths.
    weights, encoder = run.spec.model.weights_file, run.spec.model.encoder_folder
    return job.TrainingJob(
        run_id=run.id,
        spec=run.spec,
        epochs=run.epochs,
        folder=begun.folder.path,
        prepared=begun.prepared,
        content_hash=run.dataset_hash,
        weights_file=Path(weights) if weights else None,
        encoder_folder=Path(encoder) if encoder else None,
        threads=begun.threads or len(os.sched_getaffinity(0)),
        device_class=begun.device,
        resume_from=checkpoints.resume_from,
        best=checkpoints.best,
        init_checkpoint=begun.origin,
    )


def _end(begun: Begun, raised: BaseException, error: TrainyardError | None) -> None:
    """A second Ctrl-C is no failure; an error without a name is one."""
    if isinstance(raised, Exception):
        logger.error("%s", error.message if error else raised, exc_info=raised if error is None else None)
        begun.record.end(
            RunStatus.FAILED, error=error or TrainyardError(f"{type(raised).__name__}: {raised}")
        )
    else:
        begun.record.end(RunStatus.STOPPED)


def _result(begun: Begun, result: job.TrainingResult, seconds: float) -> TrainingResult:
    run = begun.record.run
    monitor = run.spec.checkpoints.monitor
    return TrainingResult(
        status=result.status,
        folder=begun.folder.path,
        epochs=result.epoch,
        target=result.target,
        monitor=monitor,
        best_value=result.best.get(monitor),
        best_epoch=result.best_epoch,
        seconds=seconds,
        images_per_second=result.images_per_second,
        history=begun.record.rows,
        export=result.export,
    )


@contextmanager
def _logged(file: Path) -> Iterator[None]:
    """What is logged goes into the experiment's log meanwhile, as that of a service's run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(UtcFormatter(_LOG_FORMAT))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
