"""The epochs of an attempt: Lightning's trainer with the run's own callbacks."""

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import torch
from lightning import Callback, Trainer
from lightning.pytorch.plugins import LayerSync
from lightning.pytorch.utilities import rank_zero_only

from trainyard.errors import OutOfMemory
from trainyard.runs.events import AttemptStarted
from trainyard.runs.signals import Signals
from trainyard.spec.training_spec import TrainingSpec
from workers.training.checkpoints.checkpoint_writer import BackgroundWriter
from workers.training.checkpoints.files import Checkpoints
from workers.training.checkpoints.resume import Resume
from workers.training.compute.gpu_settings import set_for_training
from workers.training.compute.memory import memory_that_ran_out
from workers.training.compute.rank import Rank
from workers.training.compute.sync_norms import SyncNorms
from workers.training.engine.attempt import Attempt, Report
from workers.training.engine.progress import ProgressReports
from workers.training.engine.signals_callback import Control, Status, StopTraining
from workers.training.epochs.early_stopping import EarlyStop, Plateau
from workers.training.epochs.epoch_overlays import EpochOverlays
from workers.training.epochs.epoch_rows import EpochRows
from workers.training.epochs.loggers import make_loggers
from workers.training.epochs.validation import Validation
from workers.training.typed_errors import as_raised

logger = logging.getLogger(__name__)

SANITY_BATCHES = 2
"""Validation batches tried before the first epoch, to fail early."""
_NEVER = sys.maxsize


@dataclass(frozen=True, kw_only=True)
class Trained:
    """How training ended: the target it last knew, finished epochs, optimizer steps, training images per
    second of this attempt."""

    status: Status
    target: int
    epoch: int
    step: int
    images_per_second: float | None


def train(
    attempt: Attempt,
    report: Report,
    signals: Callable[[], Signals],
    rank: Rank,
    further: Sequence[Callback] = (),
) -> Trained:
    """Train to the target, an early end or a stop. Each rank calls this; only the first one is heard.

    `further` are callbacks beside the run's own.

    Raises NanLoss, StorageUnavailable or OutOfMemory.
    """
    # Else it is that of the environment when Lightning was imported.
    rank_zero_only.rank = rank.global_rank()  # type: ignore[attr-defined]
    deterministic = attempt.card.spec.compute.deterministic
    with set_for_training(attempt.device, deterministic=deterministic), closing(BackgroundWriter()) as writer:
        return _train(attempt, report, signals, rank, writer, further)


def _train(
    attempt: Attempt,
    report: Report,
    signals: Callable[[], Signals],
    rank: Rank,
    writer: BackgroundWriter,
    further: Sequence[Callback],
) -> Trained:
    rows = EpochRows(attempt.history, report)
    checkpoints = Checkpoints(attempt.folder, attempt.card, attempt.history, attempt.saved, writer, report)
    control = Control(signals, report, checkpoints, attempt.history)
    every = attempt.card.spec.data.val_every_epochs
    # Their order matters: an epoch is validated and has its row, patience looks at it, all is saved, and only
    # then may the run stop.
    callbacks = [
        ProgressReports(report, every),
        Validation(every, control.ends_with_epoch),
        EpochOverlays(attempt.folder, attempt.card.classes),
        rows,
        *_patient(attempt, report),
        checkpoints,
        control,
        *further,
    ]
    trainer = _trainer(attempt, rank, writer, callbacks)
    _leave_signals_alone(trainer)
    report(AttemptStarted(device=_device_name(trainer), epoch=attempt.done, step=attempt.step))
    _log_beginning(attempt, trainer)
    try:
        full = _fit(trainer, attempt)
    finally:
        checkpoints.settle()
    if full is not None:
        # Raised out here, where nothing holds on to the tensors of the step that failed.
        raise full
    return Trained(
        status=control.status,
        target=int(trainer.max_epochs or 0),
        epoch=trainer.current_epoch,
        step=trainer.global_step,
        images_per_second=rows.images_per_second,
    )


def _trainer(attempt: Attempt, rank: Rank, writer: BackgroundWriter, callbacks: list[Callback]) -> Trainer:
    spec = attempt.card.spec
    if attempt.checkpoint:
        callbacks = [Resume(attempt.checkpoint, attempt.batches), *callbacks]
        attempt.data.skip(attempt.done, attempt.batches)
    return Trainer(
        max_epochs=attempt.job.epochs,
        accelerator=attempt.device.type,
        precision=attempt.precision,
        callbacks=callbacks,
        logger=make_loggers(attempt.folder, attempt.done) if rank.is_first else False,
        default_root_dir=attempt.folder.path,
        accumulate_grad_batches=spec.optimization.accumulate_batches,
        # Operations that have no deterministic form on a GPU are warned of in the log.
        deterministic="warn" if spec.compute.deterministic else False,
        benchmark=torch.backends.cudnn.benchmark,  # else Lightning turns it off
        use_distributed_sampler=False,
        num_sanity_val_steps=SANITY_BATCHES,
        check_val_every_n_epoch=_NEVER,  # `Validation` does
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        # Always a rank: without one Lightning would take what a cluster's scheduler left in the environment.
        plugins=[writer, rank, *_synchronised(attempt)],
        devices=spec.compute.device_count,
        strategy=_strategy(spec),
    )


def _leave_signals_alone(trainer: Trainer) -> None:
    """SIGTERM is for whoever runs this process to handle: Lightning would end training at one that comes to
    the whole group of processes, unsaved, and asks all ranks in each batch, on their GPUs, whether one came.
    """
    trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = lambda: None  # type: ignore[method-assign]


def _device_name(trainer: Trainer) -> str:
    device = trainer.strategy.root_device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _fit(trainer: Trainer, attempt: Attempt) -> OutOfMemory | None:
    """Run the loops; returns what is to be raised when memory ran out, None otherwise."""
    try:
        trainer.fit(attempt.module, datamodule=attempt.data)
    except StopTraining:
        logger.info("left at once, as asked")
    except RuntimeError as error:
        if (ran_out := memory_that_ran_out(error)) is None:
            raise
        said = str(as_raised(error)).partition("\n")[0]
        return ran_out(f"The device ran out of memory: {said}")
    return None


def _patient(attempt: Attempt, report: Report) -> list[Callback]:
    """The callbacks that wait for a metric, where the spec has such."""
    spec = attempt.card.spec
    waiting: list[Callback] = []
    if spec.optimization.schedule.name == "plateau":
        waiting.append(Plateau(spec.optimization.schedule, attempt.history))
    if spec.early_stopping.patience:
        waiting.append(EarlyStop(spec.early_stopping, attempt.history, report))
    return waiting


def _strategy(spec: TrainingSpec) -> str:
    """Lightning's name of how devices work together."""
    if spec.compute.device_count == 1:
        return "auto"
    if spec.compute.strategy != "auto":
        return spec.compute.strategy
    # Frozen encoders have no gradients, nor have the layers of some encoders that only a classifier uses:
    # plain ddp would wait for those.
    return "ddp_find_unused_parameters_true"


def _synchronised(attempt: Attempt) -> list[LayerSync]:
    """What keeps the norms of several GPUs together; there is no form for CPUs."""
    return (
        [SyncNorms()] if attempt.device.type == "cuda" and attempt.card.spec.compute.device_count > 1 else []
    )


def _log_beginning(attempt: Attempt, trainer: Trainer) -> None:
    logger.info(
        "training on %s in %s with %d threads: %d images, epochs validated on %d of %d, %d epochs done of %d",
        trainer.strategy.root_device,
        attempt.precision,
        attempt.job.threads,
        len(attempt.data.train),
        attempt.data.epoch_val.images,
        attempt.data.val.images,
        attempt.done,
        attempt.job.epochs,
    )
