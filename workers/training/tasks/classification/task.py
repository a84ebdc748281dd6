"""Classification: a class for each image, or several."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainyard.errors import InvalidRequest
from trainyard.library.prediction import TILES
from trainyard.runs.events import Event, Notice
from trainyard.spec.training_spec import ModelSpec, TrainingSpec
from workers.prepared.version import PreparedClass, PreparedDataset, Sample
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.network.normalization import Normalization
from workers.training.network.pretrained import normalization
from workers.training.tasks.classification.data.batches import ClassificationData, labelled_split
from workers.training.tasks.classification.data.pictures import Pictures, plain_pictures
from workers.training.tasks.classification.export.onnx_files import ExportData, export_run
from workers.training.tasks.classification.labels.class_weights import class_weights
from workers.training.tasks.classification.labels.targets import check_labels
from workers.training.tasks.classification.network.classifier import build_classifier, empty_classifier
from workers.training.tasks.classification.objective import ClassificationObjective
from workers.training.tasks.classification.prediction.images import predict_images
from workers.training.tasks.classification.prediction.model_files import predictor_of
from workers.training.tasks.classification.prediction.overlay import write_overlay
from workers.training.tasks.classification.report.write import write_report
from workers.training.tasks.learning_task import TrainedRun
from workers.training.tasks.model_file import OpenModel


class Classification:
    """A LearningTask."""

    def classes(self, prepared: PreparedDataset) -> list[PreparedClass]:
        return prepared.classes

    def empty_network(self, model: ModelSpec, classes: Sequence[PreparedClass]) -> nn.Module:
        return empty_classifier(model, len(classes))

    def build_network(
        self, model: ModelSpec, classes: Sequence[PreparedClass], weights_file: Path | None
    ) -> nn.Module:
        return build_classifier(model, len(classes), weights_file)

    def normalization(self, model: ModelSpec, prepared: PreparedDataset) -> Normalization:
        return normalization(model, prepared)

    def suit_device(self, network: nn.Module, device: torch.device) -> None:
        """There is one form."""

    def data(
        self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int
    ) -> ClassificationData:
        return ClassificationData(prepared, spec, for_gpu=for_gpu, cores=cores)

    def objective(
        self, spec: TrainingSpec, prepared: PreparedDataset, samples: Sequence[Sample] | None
    ) -> ClassificationObjective:
        weights = None if samples is None else class_weights(spec.optimization, prepared, samples)
        return ClassificationObjective(spec, [info.name for info in prepared.classes], weights)

    def predict(self, model: OpenModel, images: Sequence[Path], out: Path, way: str | None) -> None:
        if way == TILES:
            raise InvalidRequest(
                "A class of an image is told of the whole image, not of tiles.",
                remedy="Leave --tiles out.",
                errors={"tiles": ["only of models that tell classes of pixels"]},
            )
        predict_images(predictor_of(model), images, out)

    def finish(
        self, run: TrainedRun, report: Callable[[Event], None], exports: Callable[[], None]
    ) -> dict[str, Any] | None:
        card, prepared = run.card, run.prepared
        train, val = (
            plain_pictures(prepared, part, card.spec) for part in labelled_split(prepared, card.spec)
        )
        trained = TrainedNetwork(run.network, card.rule)
        write_overlay(trained, val, card, run.folder.figures / "overlay.png")
        evaluation = self._report(trained, run, train, val)
        for notice in evaluation["notices"]:
            report(Notice(message=notice))
        if not card.spec.export.onnx:
            return None
        exports()
        return export_run(
            trained.network.float(),
            card,
            ExportData(val=val, calibration=train, content_hash=prepared.content_hash),
            run.folder,
            epoch=run.epoch,
            evaluation=evaluation,
            report=report,
        )

    def _report(
        self, trained: TrainedNetwork, run: TrainedRun, train: Pictures, val: Pictures
    ) -> dict[str, Any]:
        """Evaluate on the run's device; leaves the network on the CPU."""
        test = [sample for sample in run.prepared.samples if sample.split == "test"]
        check_labels(run.prepared, test)
        splits = {"val": val, "test": plain_pictures(run.prepared, test, run.card.spec)}
        with trained.on(run.device):
            return write_report(
                trained,
                run.card,
                splits,
                run.folder,
                epoch=run.epoch,
                train_images=len(train),
                device=run.device,
            )
