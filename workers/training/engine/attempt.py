"""Everything that an attempt needs before its first batch: data, network, where an earlier one left off."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from lightning import seed_everything
from torch import nn

from trainyard.catalog.encoder_sources import is_source
from trainyard.catalog.names import HUB_WEIGHTS, WEIGHTS_FILE_PREFIX
from trainyard.runs.events import BatchSizeChanged, Event, Notice, WeightsLoaded
from trainyard.spec.checks import check_classes, check_known
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder
from trainyard.tasks.registry import rounded_size
from workers.plugins.made import require_plugins
from workers.prepared.recorded import open_version
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ABOUT, ModelCard, Saved, read_checkpoint
from workers.training.checkpoints.resume import damage_of, newest_good
from workers.training.compute.compiled import fall_back_to_eager
from workers.training.compute.devices import check_device_count, device_of_class
from workers.training.compute.memory import with_smaller_batch_of
from workers.training.compute.runtime import Precision, resolve_precision
from workers.training.data.loaders import RunData
from workers.training.engine.batch_size import with_found_batch
from workers.training.epochs.early_stopping import ended_early
from workers.training.epochs.epoch_rows import History
from workers.training.epochs.module import TrainingModule
from workers.training.job import SavedFile, TrainingJob
from workers.training.network.encoder_sources import FoundEncoder, find_encoder
from workers.training.network.normalization import Normalization
from workers.training.network.shapes import check_shapes, passes
from workers.training.network.warm_start import load_fitting
from workers.training.tasks.learning_task import LearningTask
from workers.training.tasks.registry import task_of

Report = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What has been built. `done` and `step` are the epochs and steps that the checkpoint already holds,
    `batches` those of the epoch under way.
    """

    job: TrainingJob
    folder: RunFolder
    card: ModelCard
    data: RunData
    module: TrainingModule
    precision: Precision
    device: torch.device
    checkpoint: dict[str, Any] | None
    history: History
    saved: Saved

    @property
    def done(self) -> int:
        return int(self.checkpoint[ABOUT]["epoch"]) if self.checkpoint else 0

    @property
    def step(self) -> int:
        return int(self.checkpoint[ABOUT]["step"]) if self.checkpoint else 0

    @property
    def batches(self) -> int:
        """In batches of this attempt's size, which may be smaller than when they were counted."""
        if self.checkpoint is None:
            return 0
        about, size = self.checkpoint[ABOUT], self.card.spec.data.batch
        done: int = about.get("batches", 0) * read_spec(about["spec"]).data.batch // size
        return min(done, len(self.data.train_dataloader())) if done else 0

    @property
    def has_epochs_left(self) -> bool:
        """Whether there is anything to train: the target lies ahead, and no early end was reached for it."""
        if self.done >= self.job.epochs:
            return False
        return self.checkpoint is None or not ended_early(self.checkpoint, self.job.epochs)


def build_attempt(job: TrainingJob, report: Report) -> Attempt:
    """Build it, from the newest good checkpoint that the job names. Raises as `fit` before training."""
    check_known(job.spec)
    require_plugins(job.spec)
    newest, checkpoint = newest_good(job.resume_from, report) or (None, None)
    if job.resume_from and newest is None:
        report(Notice(message="No checkpoint of an earlier attempt can be read: training starts anew."))
    spec = _with_legal_size(job.spec, report)
    found = _found_encoder(job, checkpoint, report)
    if found is not None:
        spec = replace(spec, model=replace(spec.model, encoder=found.encoder))
    if checkpoint is not None:
        spec = with_smaller_batch_of(spec, read_spec(checkpoint[ABOUT]["spec"]))
    device = device_of_class(job.device_class)
    check_device_count(device, spec.compute.device_count)
    precision = resolve_precision(spec.precision, device)
    seed_everything(spec.seed, workers=True, verbose=False)
    prepared = open_version(job.prepared, job.content_hash)
    check_classes(spec, len(prepared.classes), prepared.task)
    task = task_of(spec)
    classes = task.classes(prepared)
    network, rule = _network(task, job, spec, prepared, checkpoint, found, report)
    task.suit_device(network, device)
    if spec.data.finds_batch:
        spec = with_found_batch(spec, network, prepared, precision, report, device)
    if spec.data.batch_size != job.spec.data.batch_size:
        report(batch_settled(spec))
    data = task.data(prepared, spec, for_gpu=device.type == "cuda", cores=job.threads_per_rank)
    if data.loading.notice:
        report(Notice(message=data.loading.notice))
    _check_batches(network, spec, data, report)
    objective = task.objective(spec, prepared, data.train.samples)
    module = TrainingModule(network, objective, rule, spec, fused=precision != "16-mixed")
    if spec.compute.compile:
        fall_back_to_eager(module.network, report)
    if checkpoint is not None:
        module.resume_weights(checkpoint)
    row = checkpoint[ABOUT]["best"] if checkpoint else None
    saved = Saved(newest=newest, best=_file_of(row, newest, job.best))
    return Attempt(
        # What other ranks, and a second try, are to go by: an encoder by where it lies.
        job=replace(job, spec=replace(spec, model=job.spec.model)),
        folder=RunFolder(job.folder),
        card=ModelCard(run_id=job.run_id, spec=spec, classes=classes, rule=rule, depth=prepared.depth),
        data=data,
        module=module,
        precision=precision,
        device=device,
        checkpoint=checkpoint,
        history=History(spec.checkpoints.monitor, row if saved.best else None),
        saved=saved,
    )


def _check_batches(network: nn.Module, spec: TrainingSpec, data: RunData, report: Report) -> None:
    """Leave a last batch out that alone is too small to train on; raises InvalidModel where none can pass."""
    if data.has_rest and not passes(network, spec.data.image_size, data.smallest_batch):
        report(
            Notice(
                message=f"The last batch of an epoch would have {data.smallest_batch} image(s), which "
                f"{spec.model.architecture} with {spec.model.encoder} cannot train on at "
                f"{spec.data.image_size} px. It is left out, with other images in each epoch."
            )
        )
        data.leave_out_rest()
    check_shapes(network, spec, data.smallest_batch)


def batch_settled(spec: TrainingSpec) -> BatchSizeChanged:
    """Says which batches are trained."""
    return BatchSizeChanged(
        batch_size=spec.data.batch, accumulate_batches=spec.optimization.accumulate_batches
    )


def _file_of(
    row: dict[str, Any] | None, newest: SavedFile | None, best: SavedFile | None
) -> SavedFile | None:
    """The file with the weights of the best epoch so far; without one, the next epoch will be the best."""
    if row is None or best is None or best.epoch != row["epoch"]:
        return None
    return best if best == newest or damage_of(best) is None else None


def _network(
    task: LearningTask,
    job: TrainingJob,
    spec: TrainingSpec,
    prepared: PreparedDataset,
    checkpoint: dict[str, Any] | None,
    found: FoundEncoder | None,
    report: Report,
) -> tuple[nn.Module, Normalization]:
    """The network and how images are put to it: what its weights were made with."""
    classes = task.classes(prepared)
    if checkpoint is not None:
        # The checkpoint holds every weight, so none is fetched again.
        return task.empty_network(spec.model, classes), _rule_of(checkpoint)
    if job.init_checkpoint is not None:
        network = task.empty_network(spec.model, classes)
        origin = read_checkpoint(job.init_checkpoint)
        loaded = load_fitting(network, origin["state_dict"])
        report(Notice(message=loaded.describe(job.init_checkpoint.name)))
        report(WeightsLoaded(**{**asdict(loaded), "skipped": tuple(loaded.skipped)}))
        return network, _rule_of(origin)
    if found is None or spec.model.encoder_weights != HUB_WEIGHTS:
        network = task.build_network(spec.model, classes, job.weights_file)
        return network, task.normalization(spec.model, prepared)
    file = found.weights_file
    assert file is not None  # noqa: S101 - they were asked for
    model = replace(spec.model, encoder_weights=f"{WEIGHTS_FILE_PREFIX}{file.name}")
    return task.build_network(model, classes, file), found.rule


def _found_encoder(
    job: TrainingJob, checkpoint: dict[str, Any] | None, report: Report
) -> FoundEncoder | None:
    """What an encoder is that the spec names by where it lies; None for any other. A checkpoint says so
    itself, and needs no weights."""
    model = job.spec.model
    if not is_source(model.encoder):
        return None
    if checkpoint is not None:
        saved = read_spec(checkpoint[ABOUT]["spec"]).model
        return FoundEncoder(encoder=saved.encoder, weights_file=None, rule=_rule_of(checkpoint))
    pretrained = model.encoder_weights == HUB_WEIGHTS and job.init_checkpoint is None
    found = find_encoder(model.encoder, job.encoder_folder, pretrained=pretrained)
    report(Notice(message=f"{model.encoder} is {found.encoder}."))
    return found


def _rule_of(checkpoint: dict[str, Any]) -> Normalization:
    return Normalization(mean=tuple(checkpoint[ABOUT]["mean"]), std=tuple(checkpoint[ABOUT]["std"]))


def _with_legal_size(spec: TrainingSpec, report: Report) -> TrainingSpec:
    asked, legal = spec.data.image_size, rounded_size(spec.model.architecture, spec.data.image_size)
    if legal == asked:
        return spec
    report(Notice(message=f"{spec.model.architecture} takes no images of {asked} px; {legal} px is used."))
    return replace(spec, data=replace(spec.data, image_size=legal))
