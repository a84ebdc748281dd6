"""What the engine asks of a task: the one interface between what all have and what is a task's own.

docs/tasks.md says how a task is added.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from trainyard.runs.events import Event
from trainyard.spec.training_spec import ModelSpec, TrainingSpec
from trainyard.storage.files import RunFolder
from workers.prepared.version import PreparedClass, PreparedDataset, Sample
from workers.training.checkpoints.files import ModelCard
from workers.training.data.loaders import RunData
from workers.training.epochs.objective import Objective
from workers.training.network.normalization import Normalization
from workers.training.tasks.model_file import OpenModel


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """A run that has reached its target: the network with the weights of its best `epoch`, in eval mode on
    the CPU, and where it writes. `device` is that of its queue."""

    network: nn.Module
    card: ModelCard
    prepared: PreparedDataset
    folder: RunFolder
    epoch: int
    device: torch.device


class LearningTask(Protocol):
    """One task. Its networks take (N, 3, H, W) float32 under their input rule, give what its objective
    understands, and have a part `encoder`."""

    def classes(self, prepared: PreparedDataset) -> list[PreparedClass]:
        """What of a set's classes a network of it tells apart, numbered from 0."""
        ...

    def empty_network(self, model: ModelSpec, classes: Sequence[PreparedClass]) -> nn.Module:
        """A network with random weights; asks nobody for anything. Raises InvalidModel."""
        ...

    def build_network(
        self, model: ModelSpec, classes: Sequence[PreparedClass], weights_file: Path | None
    ) -> nn.Module:
        """The same, its encoder filled as the spec says. Raises InvalidModel and WeightsUnavailable."""
        ...

    def normalization(self, model: ModelSpec, prepared: PreparedDataset) -> Normalization:
        """How images are put to what `build_network` gives."""
        ...

    def suit_device(self, network: nn.Module, device: torch.device) -> None:
        """Let the network compute the same in the form that is quick there."""
        ...

    def data(self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int) -> RunData:
        """The loaders. Raises BadDataset, InvalidModel and InvalidRequest."""
        ...

    def objective(
        self, spec: TrainingSpec, prepared: PreparedDataset, samples: Sequence[Sample] | None
    ) -> Objective:
        """Losses and scores; `samples` are those trained on, None for a trial that learns nothing."""
        ...

    def predict(self, model: OpenModel, images: Sequence[Path], out: Path, way: str | None) -> None:
        """Write into `out` what a trained network makes of each image file, and say it on a line.

        `way` is how images are to be seen, None as in training. Raises InvalidRequest and StorageUnavailable.
        """
        ...

    def finish(
        self, run: TrainedRun, report: Callable[[Event], None], exports: Callable[[], None]
    ) -> dict[str, Any] | None:
        """Write what the run owes besides its checkpoints; calls `exports` when that begins to be files of
        the network. Returns the facts of the first such file, None where none is wanted.

        Raises StorageUnavailable, and ExportMismatch for a file that differs from the checkpoint.
        """
        ...
