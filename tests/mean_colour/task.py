"""A task for tests, as the engine sees it: tell the mean colour of an image, RGB in 0 to 1."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn

from tests.mean_colour.data import ColourBatch, Thumbnails
from trainyard.runs.events import Event
from trainyard.spec.training_spec import ModelSpec, TrainingSpec
from trainyard.storage.json_files import write_json
from workers.prepared.version import PreparedClass, PreparedDataset, Sample
from workers.training.checkpoints.trained_network import TrainedNetwork, card_of, with_weights_of
from workers.training.data.loaders import Batch, RunData, SampleSets
from workers.training.data.picture_files import read_image
from workers.training.data.splits import split_samples
from workers.training.epochs.objective import Objective, Row
from workers.training.network.normalization import HALF, Normalization
from workers.training.tasks.learning_task import TrainedRun
from workers.training.tasks.model_file import OpenModel

CLOSE = 0.1


class Pooled(nn.Module):
    """(N, 3) of (N, 3, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        colours: Tensor = self.head(self.encoder(images).mean(dim=(2, 3)))
        return colours


class ColourScores:
    """Mean loss, mean absolute error, and the share of images within CLOSE."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._sums = torch.zeros(4, dtype=torch.float64)

    def update(self, outputs: Tensor, truth: Tensor, loss: Tensor) -> None:
        errors = (outputs - truth).abs().mean(dim=1)
        parts = (loss * len(truth), errors.sum(), (errors < CLOSE).sum(), torch.tensor(len(truth)))
        self._sums += torch.stack([part.detach().double().cpu() for part in parts])

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        self._sums = add_up(self._sums.to(device)).cpu()

    def row(self) -> Row:
        names = ("loss", "error", "within")
        *sums, images = self._sums.tolist()
        return {name: value / images if images else None for name, value in zip(names, sums, strict=True)}

    def state(self) -> dict[str, Any]:
        return {"sums": self._sums}

    def load_state(self, state: dict[str, Any]) -> None:
        self._sums = state["sums"]


class ColourObjective(Objective):
    def __init__(self) -> None:
        super().__init__()
        self.train_scores, self.val_scores = ColourScores(), ColourScores()

    def forward(self, colours: Tensor, truth: Tensor) -> Tensor:
        return nn.functional.mse_loss(colours.float(), truth)

    def truth(self, batch: ColourBatch) -> Tensor:  # type: ignore[override]
        return batch["colour"]

    def noise(self, images: int, size: int) -> Batch:
        pixels = torch.zeros(images, size, size, 3, dtype=torch.uint8)
        return ColourBatch(image=pixels, name=[], colour=torch.zeros(images, 3))


class MeanColour:
    """A LearningTask."""

    def classes(self, prepared: PreparedDataset) -> list[PreparedClass]:
        return prepared.classes

    def empty_network(self, model: ModelSpec, classes: Sequence[PreparedClass]) -> nn.Module:
        return Pooled()

    def build_network(
        self, model: ModelSpec, classes: Sequence[PreparedClass], weights_file: Path | None
    ) -> nn.Module:
        return Pooled()

    def normalization(self, model: ModelSpec, prepared: PreparedDataset) -> Normalization:
        return HALF

    def suit_device(self, network: nn.Module, device: torch.device) -> None:
        """There is one form."""

    def data(self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int) -> RunData:
        data = spec.data
        train, val = split_samples(prepared.samples, data.val_fraction, spec.seed, data.split_index)
        sets = [Thumbnails(prepared, part, data.image_size) for part in (train, val)]
        return RunData(
            len(train),
            lambda: SampleSets(
                train=sets[0], val=sets[1], epoch_val=sets[1], sample_bytes=3 * data.image_size**2
            ),
            spec,
            for_gpu=for_gpu,
            cores=cores,
        )

    def objective(
        self, spec: TrainingSpec, prepared: PreparedDataset, samples: Sequence[Sample] | None
    ) -> ColourObjective:
        return ColourObjective()

    def predict(self, model: OpenModel, images: Sequence[Path], out: Path, way: str | None) -> None:
        card = card_of(model.checkpoint)
        trained = TrainedNetwork(with_weights_of(model.checkpoint, Pooled()), card.rule)
        for path in images:
            image = cv2.resize(read_image(path, card.depth), (card.spec.data.image_size,) * 2)
            with torch.inference_mode():
                colour = trained(torch.from_numpy(image)[None])[0]
            (out / f"{path.stem}.json").write_text(json.dumps(colour.tolist()))

    def finish(
        self, run: TrainedRun, report: Callable[[Event], None], exports: Callable[[], None]
    ) -> dict[str, Any] | None:
        write_json(run.folder.report_json, {"epoch": run.epoch, "weights": len(run.network.state_dict())})
        return None
