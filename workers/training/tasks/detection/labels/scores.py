"""Scores of an epoch: the loss and its terms, and of validation COCO's scores of what is found."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from workers.training.compute.full_precision import widened
from workers.training.epochs.objective import Row
from workers.training.tasks.detection.labels.average_precision import AveragePrecision
from workers.training.tasks.detection.labels.objects import Floats, Frame, Numbers
from workers.training.tasks.detection.labels.placing import placed
from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth
from workers.training.tasks.detection.network.detector import Answer, Detections


class LossScores:
    """The loss and its terms, means over images, added up on the batches' device."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = tuple(terms)
        self.reset()

    def reset(self) -> None:
        self._sums: Tensor | None = None

    def add(self, losses: dict[str, Tensor], loss: Tensor, images: int) -> None:
        """A batch of so many images."""
        parts = [loss.detach(), *(losses[term] for term in self._terms)]
        means = torch.stack([widened(part).double() for part in parts])
        sums = torch.cat([means, means.new_ones(1)]) * images
        self._sums = sums if self._sums is None else self._sums.to(sums.device) + sums

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        none = torch.zeros(2 + len(self._terms), dtype=torch.float64)
        self._sums = add_up((none if self._sums is None else self._sums).to(device))

    def row(self) -> Row:
        names = ["loss", *(f"loss_{term}" for term in self._terms)]
        *sums, images = [0.0] if self._sums is None else self._sums.tolist()
        if not images:
            return dict.fromkeys(names)
        return {name: part / images for name, part in zip(names, sums, strict=True)}

    def state(self) -> dict[str, Any]:
        return {"sums": self._sums}

    def load_state(self, state: dict[str, Any]) -> None:
        self._sums = state["sums"]


class TrainScores(LossScores):
    """As an Objective has them: nothing is found while a network is trained."""

    def update(self, outputs: Answer, truth: Any, loss: Tensor) -> None:
        self.add(outputs.losses, loss, len(truth.targets))


class ValScores:
    """The loss with its terms, and what is found in each image, which is kept beside what is there."""

    def __init__(self, terms: Sequence[str], classes: Sequence[str], *, masks: bool) -> None:
        """`classes` are their names; with `masks` outlines are scored as well."""
        self._loss = LossScores(terms)
        self._classes = tuple(classes)
        self._masks = masks
        self.reset()

    def reset(self) -> None:
        self._loss.reset()
        self.truths: list[SceneTruth] = []
        self.answers: list[SceneAnswer] = []

    def update(self, outputs: Answer, truth: Any, loss: Tensor) -> None:
        self._loss.add(outputs.losses, loss, len(truth.targets))
        scenes: list[SceneTruth] = truth.scenes.truths
        self.truths += scenes
        self.answers += [
            answer_of(found, scene.frame) for found, scene in zip(outputs.detections, scenes, strict=True)
        ]

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        self._loss.gather(add_up, device)
        ranks: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(ranks, (self.truths, self.answers))
        self.truths = [truth for truths, _ in ranks for truth in truths]
        self.answers = [answer for _, answers in ranks for answer in answers]

    def row(self) -> Row:
        row = self._loss.row()
        if not self.truths:
            return row | dict.fromkeys(self._names())
        boxes = AveragePrecision(self.truths, self.answers, len(self._classes), "bbox")
        row |= boxes.row()
        if self._masks:
            of_masks = AveragePrecision(self.truths, self.answers, len(self._classes), "segm")
            row |= {f"mask_{name}": value for name, value in of_masks.row().items()}
        main = of_masks if self._masks else boxes
        return row | dict(zip(self._class_names(), main.of_classes(), strict=True))

    def state(self) -> dict[str, Any]:
        """Of the loss alone: validation is never taken up in its middle."""
        return self._loss.state()

    def load_state(self, state: dict[str, Any]) -> None:
        self._loss.load_state(state)

    def _names(self) -> list[str]:
        nothing = AveragePrecision([], [], 1, "bbox").row()
        of_masks = [f"mask_{name}" for name in nothing] if self._masks else []
        return [*nothing, *of_masks, *self._class_names()]

    def _class_names(self) -> list[str]:
        return [f"ap/{name}" for name in self._classes]


def answer_of(found: Detections, frame: Frame) -> SceneAnswer:
    """What a network found in a square, in its image."""
    return placed(*arrays_of(found), frame)


def arrays_of(found: Detections) -> tuple[Floats, Numbers, Floats, Floats | None]:
    """Boxes, classes, scores and masks (M, 28, 28), on the host."""
    boxes, labels, scores = (found[name].cpu().numpy() for name in ("boxes", "labels", "scores"))
    return boxes, labels, scores, found["masks"][:, 0].cpu().numpy() if "masks" in found else None
