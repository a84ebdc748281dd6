"""Detection: objects in an image, each with its class and its box, or its outline as well."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainyard.runs.events import Event
from trainyard.spec.training_spec import ModelSpec, TrainingSpec
from workers.prepared.version import PreparedClass, PreparedDataset, Sample
from workers.training.network.input_rule import InputRule
from workers.training.network.pretrained import input_rule
from workers.training.tasks.detection.data.batches import DetectionData
from workers.training.tasks.detection.network.networks import build_detector, empty_detector
from workers.training.tasks.detection.objective import DetectionObjective
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

    def input_rule(self, model: ModelSpec, prepared: PreparedDataset) -> InputRule:
        return input_rule(model, prepared)

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
        raise NotImplementedError

    def finish(
        self, run: TrainedRun, report: Callable[[Event], None], exports: Callable[[], None]
    ) -> dict[str, Any] | None:
        return None
