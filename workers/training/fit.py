"""One attempt at a run, from the job to its result. Knows neither queue, store nor web."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from lightning import Trainer, seed_everything

from trainyard.catalog import rounded_size
from trainyard.events import Event, Notice, Progress, Stage
from trainyard.signals import Signals
from trainyard.spec import TrainingSpec
from trainyard.storage import RunFolder
from workers.prepared import PreparedDataset
from workers.training.checkpoints import (
    ABOUT,
    Checkpoints,
    ModelCard,
    Resume,
    clear_earlier_try,
    read_checkpoint,
)
from workers.training.control import Control, StopNow
from workers.training.data import SegmentationData
from workers.training.epochs import EpochRows, History
from workers.training.export import export_onnx
from workers.training.job import TrainingJob, TrainingResult
from workers.training.loggers import make_loggers
from workers.training.model import InputRule, build_network, check_shapes, empty_network, input_rule
from workers.training.module import SegmentationModule
from workers.training.overlay import write_overlay
from workers.training.progress import ProgressReports
from workers.training.runtime import prepare_process, resolve_precision

logger = logging.getLogger(__name__)

Report = Callable[[Event], None]

SANITY_BATCHES = 2
"""Validation batches tried before the first epoch, to fail early."""


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """Everything built before the first batch. `done` and `step` are what a checkpoint already holds."""

    job: TrainingJob
    folder: RunFolder
    card: ModelCard
    data: SegmentationData
    module: SegmentationModule
    precision: Any
    checkpoint: dict[str, Any] | None
    history: History

    @property
    def done(self) -> int:
        return int(self.checkpoint[ABOUT]["epoch"]) if self.checkpoint else 0

    @property
    def step(self) -> int:
        return int(self.checkpoint[ABOUT]["step"]) if self.checkpoint else 0


@dataclass(frozen=True, kw_only=True)
class _Trained:
    status: Literal["completed", "stopped"]
    epoch: int
    step: int
    images_per_second: float | None


def fit(job: TrainingJob, report: Report, signals: Callable[[], Signals]) -> TrainingResult:
    """Train until the epoch target or a stop, then write what a finished run owes.

    `report` takes events as they happen; `signals` returns the newest wishes, at once and from any thread.
    Raises TrainyardError: InvalidModel, InvalidRequest, BadDataset or WeightsUnavailable before training,
    NanLoss or StorageUnavailable while it goes on, ExportMismatch after it.
    """
    prepare_process(job.threads)
    _quiet_lightning()
    report(_at_stage("starting", job, epoch=0, step=0))
    attempt = _build(job, report)
    if attempt.done < job.epochs:
        trained = _train(attempt, report, signals)
    else:
        trained = _Trained(status="completed", epoch=attempt.done, step=attempt.step, images_per_second=None)
    export = _finish(attempt, trained, report) if trained.status == "completed" else None
    best = attempt.history.best
    return TrainingResult(
        status=trained.status,
        epoch=trained.epoch,
        step=trained.step,
        best_epoch=best["epoch"] if best else None,
        best=best or {},
        images_per_second=trained.images_per_second,
        export=export,
    )


def _build(job: TrainingJob, report: Report) -> _Attempt:
    folder = RunFolder(job.folder)
    checkpoint = None
    if job.resume and folder.last_checkpoint.exists():
        checkpoint = read_checkpoint(folder.last_checkpoint)
    else:
        clear_earlier_try(folder)
    spec = _with_legal_size(job.spec, report)
    precision = resolve_precision(spec.precision)
    seed_everything(spec.seed, workers=True, verbose=False)
    prepared = PreparedDataset(job.prepared)
    data = SegmentationData(prepared, spec)
    classes = len(prepared.classes)
    if checkpoint is None:
        network = build_network(spec.model, classes, job.weights_file)
        rule = input_rule(spec.model, prepared)
    else:
        # The checkpoint holds every weight, so none is fetched again.
        network = empty_network(spec.model, classes)
        rule = InputRule(mean=tuple(checkpoint[ABOUT]["mean"]), std=tuple(checkpoint[ABOUT]["std"]))
    check_shapes(network, spec, data.smallest_batch)
    fused = precision != "16-mixed"
    module = SegmentationModule(network, rule, classes, spec.optimization, fused=fused)
    if checkpoint is not None:
        module.load_state_dict(checkpoint["state_dict"])
    return _Attempt(
        job=job,
        folder=folder,
        card=ModelCard(run_id=job.run_id, spec=spec, classes=prepared.classes, rule=rule),
        data=data,
        module=module,
        precision=precision,
        checkpoint=checkpoint,
        history=History(checkpoint[ABOUT]["best"] if checkpoint else None),
    )


def _with_legal_size(spec: TrainingSpec, report: Report) -> TrainingSpec:
    asked, legal = spec.data.image_size, rounded_size(spec.model.architecture, spec.data.image_size)
    if legal == asked:
        return spec
    report(Notice(message=f"{spec.model.architecture} takes no images of {asked} px; {legal} px is used."))
    return replace(spec, data=replace(spec.data, image_size=legal))


def _train(attempt: _Attempt, report: Report, signals: Callable[[], Signals]) -> _Trained:
    names = [info.name for info in attempt.card.classes]
    rows = EpochRows(names, attempt.history, report)
    checkpoints = Checkpoints(attempt.folder, attempt.card, attempt.history, report)
    control = Control(signals, report, checkpoints.save_interrupted)
    resume = [Resume(attempt.checkpoint)] if attempt.checkpoint else []
    trainer = Trainer(
        max_epochs=attempt.job.epochs,
        accelerator="auto",
        devices=1,
        precision=attempt.precision,
        # Their order matters: an epoch has its row, is saved, and only then may the run stop.
        callbacks=[*resume, ProgressReports(attempt.data, report), rows, checkpoints, control],
        logger=make_loggers(attempt.folder, attempt.done),
        default_root_dir=attempt.folder.path,
        num_sanity_val_steps=SANITY_BATCHES,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    logger.info(
        "training on %s in %s with %d threads: %d images, %d to validate, %d epochs done of %d",
        trainer.strategy.root_device,
        attempt.precision,
        attempt.job.threads,
        len(attempt.data.train),
        len(attempt.data.val),
        attempt.done,
        attempt.job.epochs,
    )
    try:
        trainer.fit(attempt.module, datamodule=attempt.data)
    except StopNow:
        logger.info("stopped at once, as asked")
    return _Trained(
        status="stopped" if control.stopped else "completed",
        epoch=trainer.current_epoch,
        step=trainer.global_step,
        images_per_second=rows.images_per_second,
    )


def _finish(attempt: _Attempt, trained: _Trained, report: Report) -> dict[str, Any] | None:
    """Write the overlay and, if asked for, the ONNX file, both of the best epoch's weights."""
    report(_at_stage("export", attempt.job, epoch=trained.epoch, step=trained.step))
    best = read_checkpoint(attempt.folder.best_checkpoint)
    attempt.module.load_state_dict(best["state_dict"])
    module = attempt.module.cpu().eval()
    picture = attempt.folder.figures / "overlay.png"
    write_overlay(module, attempt.data.val, attempt.card.classes, picture)
    if not attempt.card.spec.export_onnx:
        return None
    return export_onnx(module.network, attempt.card, attempt.folder.onnx)


def _at_stage(stage: Stage, job: TrainingJob, *, epoch: int, step: int) -> Progress:
    """Progress outside the epochs, where there is no speed to tell."""
    return Progress(
        stage=stage,
        epoch=epoch,
        epochs=job.epochs,
        step=step,
        steps_per_epoch=0,
        loss=None,
        images_per_second=None,
        eta_seconds=None,
    )


def _quiet_lightning() -> None:
    """Leave out advice that does not apply to runs of a service."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for message in ("does not have many workers", "exists and is not empty", "treespec, LeafSpec"):
        warnings.filterwarnings("ignore", message=f".*{message}")
