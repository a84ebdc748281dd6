"""Segmentation: a class for each pixel, or several."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainyard.runs.events import Event, Notice
from trainyard.spec.training_spec import ModelSpec, TrainingSpec
from workers.prepared.version import PreparedClass, PreparedDataset, Sample
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.data.splits import split_samples
from workers.training.network.normalization import Normalization
from workers.training.network.pretrained import normalization
from workers.training.tasks.learning_task import TrainedRun
from workers.training.tasks.model_file import OpenModel
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.data.squares import plain_squares
from workers.training.tasks.segmentation.export.onnx_files import ExportData, export_run
from workers.training.tasks.segmentation.labels.class_weights import class_weights
from workers.training.tasks.segmentation.network.folded_upsampling import fold_upsampling
from workers.training.tasks.segmentation.network.networks import build_network, empty_network
from workers.training.tasks.segmentation.objective import SegmentationObjective
from workers.training.tasks.segmentation.prediction.images import predict_images
from workers.training.tasks.segmentation.prediction.overlay import write_overlay
from workers.training.tasks.segmentation.prediction.predictor import predictor_of
from workers.training.tasks.segmentation.report.run import report_on_run


class Segmentation:
    """A LearningTask."""

    def classes(self, prepared: PreparedDataset) -> list[PreparedClass]:
        return prepared.classes

    def empty_network(self, model: ModelSpec, classes: Sequence[PreparedClass]) -> nn.Module:
        network: nn.Module = empty_network(model, len(classes))
        return network

    def build_network(
        self, model: ModelSpec, classes: Sequence[PreparedClass], weights_file: Path | None
    ) -> nn.Module:
        return build_network(model, len(classes), weights_file)

    def normalization(self, model: ModelSpec, prepared: PreparedDataset) -> Normalization:
        return normalization(model, prepared)

    def suit_device(self, network: nn.Module, device: torch.device) -> None:
        if device.type == "cpu":
            fold_upsampling(network)

    def data(
        self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int
    ) -> SegmentationData:
        return SegmentationData(prepared, spec, for_gpu=for_gpu, cores=cores)

    def objective(
        self, spec: TrainingSpec, prepared: PreparedDataset, samples: Sequence[Sample] | None
    ) -> SegmentationObjective:
        weights = None if samples is None else class_weights(spec.optimization, prepared, samples)
        return SegmentationObjective(spec, [info.name for info in prepared.classes], weights)

    def predict(self, model: OpenModel, images: Sequence[Path], out: Path, way: str | None) -> None:
        predict_images(predictor_of(model), images, out, way)

    def finish(
        self, run: TrainedRun, report: Callable[[Event], None], exports: Callable[[], None]
    ) -> dict[str, Any] | None:
        card, prepared, folder = run.card, run.prepared, run.folder
        data = card.spec.data
        samples = split_samples(prepared.samples, data.val_fraction, card.spec.seed, data.split_index)
        train, val = (plain_squares(prepared, part, card.spec) for part in samples)
        trained = TrainedNetwork(run.network, card.rule)
        write_overlay(trained, val, card, folder.figures / "overlay.png")
        evaluation = report_on_run(
            trained,
            card,
            val,
            prepared,
            folder,
            epoch=run.epoch,
            train_images=len(samples[0]),
            device=run.device,
        )
        for notice in evaluation["notices"]:
            report(Notice(message=notice))
        if not card.spec.export.onnx:
            return None
        exports()
        return export_run(
            trained.network.float(),
            card,
            ExportData(val=val, calibration=train, content_hash=prepared.content_hash),
            folder,
            epoch=run.epoch,
            evaluation=evaluation,
            report=report,
        )
