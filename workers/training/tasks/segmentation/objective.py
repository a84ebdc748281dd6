"""What a batch of masks costs and how well it is answered."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from trainyard.spec.training_spec import TrainingSpec
from workers.plugins.made import with_offered
from workers.prepared.planes import BITS
from workers.prepared.version import PreparedClass, Uint8
from workers.training.epochs.objective import Objective
from workers.training.tasks.segmentation.data.batches import MaskBatch
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.mask_labels import outside_value, planes
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.labels.painting import blend, colouring
from workers.training.tasks.segmentation.labels.panels import row_of
from workers.training.tasks.segmentation.losses.weighted_sum import WeightedLosses
from workers.training.variation.batches import varied

_DRAWN, _SIDE = 3, 192
"""Images of a picture, and pixels of the longer side of each panel."""
_ONE_PLANE = 3
"""Axes of a batch of masks without planes."""


class SegmentationObjective(Objective):
    """The losses of a spec, and the scores of classes of these names; `weights` has one for each, None weighs
    all alike."""

    def __init__(self, spec: TrainingSpec, names: Sequence[str], weights: Sequence[float] | None) -> None:
        super().__init__()
        self._names = tuple(names)
        self._size, self._outside = spec.data.image_size, outside_value(spec.model.task)
        self._form = spec.model.task
        self._planes = planes(spec.model.task, len(names))
        self._loss = WeightedLosses(spec.optimization, spec.model.task, weights)
        self._reading = reading_of(spec.model.task, len(names))
        self.train_scores = EpochScores(len(names), spec.model.task, names)
        own = EpochScores(len(names), spec.model.task, names)
        self.val_scores = with_offered(own, spec.task, classes=len(names), form=spec.model.task)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        loss: Tensor = self._loss(logits, truth)
        return loss

    def varied(self, batch: MaskBatch) -> MaskBatch:  # type: ignore[override]
        """Its images and masks, where the spec leaves that to the device."""
        if batch["mask"].ndim == _ONE_PLANE:
            made: MaskBatch = varied(batch, self._size, {"mask": self._outside})
            return made
        planes = {f"plane {place}": plane for place, plane in enumerate(batch["mask"].unbind(-1))}
        given = {**{name: part for name, part in batch.items() if name != "mask"}, **planes}
        parted = varied(given, self._size, dict.fromkeys(planes, self._outside))
        whole = {name: part for name, part in parted.items() if name not in planes}
        return {**whole, "mask": torch.stack([parted[name] for name in planes], dim=-1)}  # type: ignore[typeddict-item]

    def truth(self, batch: MaskBatch) -> Tensor:  # type: ignore[override]
        """(N, H, W) int64, or (N, C, H, W) float32 of a multilabel task."""
        return self._reading.truth(batch["mask"])

    def picture(  # type: ignore[override]
        self, batch: MaskBatch, logits: Tensor, classes: Sequence[PreparedClass]
    ) -> Uint8:
        """Rows of an image, its truth, and what the network makes of it."""
        images, masks = (batch[part][:_DRAWN].cpu().numpy() for part in ("image", "mask"))
        predicted = self._reading.decide(logits[:_DRAWN]).cpu().numpy()
        colors = colouring(classes, self._form)
        height, width = images.shape[1:3]
        scale = _SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        rows = [
            row_of([image, blend(image, mask, colors), blend(image, found, colors)], *size)
            for image, mask, found in zip(images, masks, predicted, strict=True)
        ]
        return np.concatenate(rows)

    def noise(self, images: int, size: int) -> MaskBatch:
        """Masks that have every class."""
        numbers = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (images, size, size, 3), dtype=torch.uint8, generator=numbers)
        masks = torch.randint(0, len(self._names), (images, size, size), dtype=torch.uint8, generator=numbers)
        if self._planes > 1:
            masks = (masks % (len(self._names) % BITS or BITS)).unsqueeze(-1).repeat(1, 1, 1, self._planes)
        return MaskBatch(image=pixels, mask=masks, name=[])
