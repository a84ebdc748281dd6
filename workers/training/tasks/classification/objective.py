"""What a batch of labelled images costs and how well it is answered."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.classification import MULTILABEL
from workers.plugins.made import with_offered
from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.loaders import Batch
from workers.training.epochs.objective import Objective
from workers.training.tasks.classification.data.batches import LabelBatch
from workers.training.tasks.classification.data.blending import blended
from workers.training.tasks.classification.labels.answers import decided, probabilities_of
from workers.training.tasks.classification.labels.losses import WeightedLosses
from workers.training.tasks.classification.labels.scores import TrainScores, ValScores
from workers.training.tasks.classification.labels.sheets import answered, sheet
from workers.training.tasks.classification.labels.targets import as_shares
from workers.training.variation.batches import varied

_DRAWN = 6
"""Images of a picture."""


class ClassificationObjective(Objective):
    """The losses of a spec, and the scores of classes of these names; `weights` has one for each, None weighs
    all alike."""

    def __init__(self, spec: TrainingSpec, names: Sequence[str], weights: Sequence[float] | None) -> None:
        super().__init__()
        form, places = spec.model.task, sorted({1, *spec.data.eval_topk})
        self._classes, self._size = len(names), spec.data.image_size
        self._form = form
        self._augmentation = spec.augmentation
        self._loss = WeightedLosses(spec.optimization, form, weights)
        self.train_scores = TrainScores(places)
        own = ValScores(names, form, places)
        self.val_scores = with_offered(own, spec.task, classes=len(names), form=form)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        loss: Tensor = self._loss(logits, truth)
        return loss

    def varied(self, batch: LabelBatch) -> Batch:  # type: ignore[override]
        """Its images varied, where the spec leaves that to the device; then blended, where it asks for it."""
        return blended(varied(batch, self._size), self._augmentation, self._classes)

    def truth(self, batch: LabelBatch) -> Tensor:  # type: ignore[override]
        """(N,) int64, or (N, C) float32."""
        return batch["label"]

    def picture(  # type: ignore[override]
        self, batch: LabelBatch, logits: Tensor, classes: Sequence[PreparedClass]
    ) -> Uint8:
        """Images above their labels and what the network takes them for."""
        images = batch["image"][:_DRAWN].cpu().numpy()
        likely = probabilities_of(logits[:_DRAWN].float().cpu().numpy(), self._form)
        true = as_shares(batch["label"][:_DRAWN].cpu(), self._classes).numpy() > 0
        return sheet(answered(list(images), true, decided(likely, self._form), classes))

    def noise(self, images: int, size: int) -> LabelBatch:
        """Images of every class in turn."""
        numbers = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (images, size, size, 3), dtype=torch.uint8, generator=numbers)
        labels = torch.arange(images) % self._classes
        given = as_shares(labels, self._classes) if self._form == MULTILABEL else labels
        return LabelBatch(image=pixels, label=given, name=[])
