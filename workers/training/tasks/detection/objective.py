"""What a batch of images with objects costs and how well they are found."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.detection import INSTANCES, TERMS
from workers.plugins.made import terms_of, with_offered
from workers.prepared.version import PreparedClass, Uint8
from workers.training.epochs.objective import Objective
from workers.training.tasks.detection.data.batches import ObjectBatch
from workers.training.tasks.detection.labels.batch_picture import batch_picture
from workers.training.tasks.detection.labels.scores import TrainScores, ValScores
from workers.training.tasks.detection.labels.truth import Scenes
from workers.training.tasks.detection.network.detector import Answer, Detections, Target
from workers.training.variation.batches import varied

_NOISE_OBJECTS = 16
"""Of each image of a batch that sizes are tried with."""
_DRAWN = 3
"""Images of a picture."""


class Truth(NamedTuple):
    """What is learnt of each image, and what detections are compared with."""

    targets: list[Target]
    scenes: Scenes


def _found_and_there(answer: Answer, truth: Truth) -> tuple[list[Detections], list[Target]]:
    return answer.detections, truth.targets


class DetectionObjective(Objective):
    """The weighted terms of an architecture's loss, and COCO's scores for classes of those names."""

    train_scores: TrainScores
    val_scores: ValScores

    def __init__(self, spec: TrainingSpec, classes: Sequence[str]) -> None:
        super().__init__()
        name = spec.model.architecture
        terms = TERMS[name] if name in TERMS else terms_of(name)
        self._masks = spec.model.task == INSTANCES
        self._classes, self._size = len(classes), spec.data.image_size
        self._weights = {
            term: sum(loss.weight * loss.params.get(term, 1.0) for loss in spec.optimization.losses)
            for term in terms
        }
        self.train_scores = TrainScores(terms)
        own = ValScores(terms, classes, masks=self._masks)
        self.val_scores = with_offered(
            own, spec.task, classes=len(classes), form=spec.model.task, given=_found_and_there
        )

    def outputs(self, network: nn.Module, images: Tensor, truth: Truth) -> Answer:
        """The network draws what its losses are of by the truth."""
        answer: Answer = network(images, truth.targets)
        return answer

    def forward(self, answer: Answer, truth: Truth) -> Tensor:
        return torch.stack([self._weights[name] * loss.float() for name, loss in answer.losses.items()]).sum()

    def varied(self, batch: ObjectBatch) -> ObjectBatch:  # type: ignore[override]
        """Its images, where the spec leaves that to the device: objects come varied."""
        made: ObjectBatch = varied(batch, self._size)
        return made

    def truth(self, batch: ObjectBatch) -> Truth:  # type: ignore[override]
        """The objects of each image by themselves."""
        counts = batch["counts"]
        boxes, labels = torch.split(batch["boxes"], counts), torch.split(batch["labels"], counts)
        targets = [Target(boxes=own, labels=classes) for own, classes in zip(boxes, labels, strict=True)]
        if batch["masks"] is not None:
            for target, masks in zip(targets, torch.split(batch["masks"], counts), strict=True):
                target["masks"] = masks
        return Truth(targets, batch["scenes"])

    def picture(  # type: ignore[override]
        self, batch: ObjectBatch, answer: Answer, classes: Sequence[PreparedClass]
    ) -> Uint8:
        """Rows of an image with its objects, and with what is found in it."""
        targets = self.truth(batch).targets[:_DRAWN]
        return batch_picture(batch["image"][:_DRAWN], targets, answer.detections[:_DRAWN], classes)

    def noise(self, images: int, size: int) -> ObjectBatch:
        """Objects of every class in turn, of a quarter of the square's side."""
        numbers = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (images, size, size, 3), dtype=torch.uint8, generator=numbers)
        many = images * _NOISE_OBJECTS
        corners = torch.rand(many, 2, generator=numbers) * size * 3 / 4
        return ObjectBatch(
            image=pixels,
            name=[],
            boxes=torch.cat([corners, corners + size / 4], dim=1),
            labels=torch.arange(many) % self._classes,
            masks=torch.ones(many, size, size, dtype=torch.uint8) if self._masks else None,
            counts=[_NOISE_OBJECTS] * images,
            scenes=Scenes([]),
        )
