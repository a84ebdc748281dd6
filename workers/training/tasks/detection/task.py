"""Detection: objects in an image, each with its class and its box, or its outline as well."""

from collections.abc import Callable, Sequence
from dataclasses import replace
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
from workers.training.tasks.detection.data.batches import DetectionData, split_with_objects
from workers.training.tasks.detection.data.squares import Squares, plain_squares
from workers.training.tasks.detection.export.onnx_files import ExportData, export_run
from workers.training.tasks.detection.network.networks import build_detector, empty_detector
from workers.training.tasks.detection.objective import DetectionObjective
from workers.training.tasks.detection.prediction.images import predict_images
from workers.training.tasks.detection.prediction.model_files import predictor_of
from workers.training.tasks.detection.report.write import write_report
from workers.training.tasks.learning_task import TrainedRun
from workers.training.tasks.model_file import OpenModel


class Detection:
    """A LearningTask."""

    def classes(self, prepared: PreparedDataset) -> list[PreparedClass]:
        return [replace(info, index=place) for place, info in enumerate(prepared.object_classes)]

    def empty_network(self, model: ModelSpec, classes: Sequence[PreparedClass]) -> nn.Module:
        return empty_detector(model, len(classes))

    def build_network(
        self, model: ModelSpec, classes: Sequence[PreparedClass], weights_file: Path | None
    ) -> nn.Module:
        return build_detector(model, len(classes), weights_file)

    def normalization(self, model: ModelSpec, prepared: PreparedDataset) -> Normalization:
        return normalization(model, prepared)

    def suit_device(self, network: nn.Module, device: torch.device) -> None:
        """There is one form."""

    def data(
        self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int
    ) -> DetectionData:
        return DetectionData(prepared, spec, for_gpu=for_gpu, cores=cores)

    def objective(
        self, spec: TrainingSpec, prepared: PreparedDataset, samples: Sequence[Sample] | None
    ) -> DetectionObjective:
        return DetectionObjective(spec, [info.name for info in self.classes(prepared)])

    def predict(self, model: OpenModel, images: Sequence[Path], out: Path, way: str | None) -> None:
        if way == TILES:
            raise InvalidRequest(
                "Objects are found in the whole image, not in tiles.",
                remedy="Leave --tiles out.",
                errors={"tiles": ["only of models that tell classes of pixels"]},
            )
        predict_images(predictor_of(model), images, out)

    def finish(
        self, run: TrainedRun, report: Callable[[Event], None], exports: Callable[[], None]
    ) -> dict[str, Any] | None:
        card, prepared = run.card, run.prepared
        train, val = split_with_objects(prepared, card.spec)
        squares = plain_squares(prepared, val, card.spec)
        trained = TrainedNetwork(run.network, card.rule)
        evaluation = self._report(trained, run, squares, len(train))
        for notice in evaluation["notices"]:
            report(Notice(message=notice))
        if not card.spec.export.onnx:
            return None
        exports()
        return export_run(
            trained.network.float(),
            card,
            ExportData(
                val=squares,
                calibration=plain_squares(prepared, train, card.spec),
                content_hash=prepared.content_hash,
            ),
            run.folder,
            epoch=run.epoch,
            evaluation=evaluation,
            report=report,
        )

    def _report(
        self, trained: TrainedNetwork, run: TrainedRun, val: Squares, train_images: int
    ) -> dict[str, Any]:
        """Evaluate on the run's device; leaves the network on the CPU."""
        test = [sample for sample in run.prepared.samples if sample.split == "test"]
        with trained.on(run.device):
            return write_report(
                trained,
                run.card,
                {"val": val, "test": plain_squares(run.prepared, test, run.card.spec)},
                run.folder,
                epoch=run.epoch,
                train_images=train_images,
                device=run.device,
            )
