"""Labelled images as squares: how each image is made into one, and in which order they are drawn."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from trainyard.catalog.names import WHERE_IT_TRAINS
from trainyard.spec.training_spec import DataSpec, TrainingSpec
from workers.prepared.version import PreparedDataset, Sample, Uint8
from workers.training.data.image_view import viewed
from workers.training.data.resizing import image_square, resize_image
from workers.training.tasks.classification.data.augmentation import Augmentation
from workers.training.tasks.classification.data.crops import plain_square, random_part
from workers.training.tasks.classification.data.sampling import balanced_order
from workers.training.tasks.classification.labels.targets import label_of
from workers.training.variation.batches import DRAWN
from workers.training.variation.drawing import Draws

_CROP_DRAWS = 1
"""Keeps the draws of crops apart from those of augmentation."""


class Pictures(Dataset[dict[str, object]]):
    """Samples as uint8 squares, as validation sees them, asked for by (epoch, index)."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], data: DataSpec) -> None:
        self._prepared = prepared
        self.samples = samples
        self._data = data

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def images(self) -> int:
        """Whole images: each is one sample."""
        return len(self.samples)

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        sample = self.sample(*draw)
        square = self._square(self._prepared.image(sample), *draw)
        label = label_of(sample, len(self._prepared.classes), self._prepared.task)
        return {"image": torch.from_numpy(square), "label": label, "name": sample.name}

    def sample(self, epoch: int, index: int) -> Sample:
        """The sample that is drawn at that place of an epoch."""
        return self.samples[index]

    def _square(self, image: Uint8, epoch: int, index: int) -> Uint8:
        return plain_square(image, self._data.image_size, self._data.fit)


class VariedPictures(Pictures):
    """The same as training sees them: varied from epoch to epoch, in the order of the spec's sampling."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> None:
        super().__init__(prepared, samples, spec.data)
        transforms, drawn = spec.augmentation.transforms, spec.augmentation.device == WHERE_IT_TRAINS
        self._augmentation = Augmentation([] if drawn else transforms)
        self._draws = Draws(transforms) if drawn else None
        self._seed = spec.seed
        self._order: tuple[int, NDArray[np.int64]] | None = None

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        """With what is drawn for it, where the device that trains is to vary it."""
        item = super().__getitem__(draw)
        if self._draws is None:
            return item
        size = (self._data.image_size, self._data.image_size)
        return {**item, DRAWN: self._draws(size, size, [self._seed, *draw])}

    def sample(self, epoch: int, index: int) -> Sample:
        if self._data.class_sampling != "balanced":
            return self.samples[index]
        if self._order is None or self._order[0] != epoch:
            numbers = np.random.default_rng([self._seed, epoch])
            labels = [sample.classes for sample in self.samples]
            self._order = (epoch, balanced_order(labels, len(self._prepared.classes), numbers))
        return self.samples[int(self._order[1][index])]

    def _square(self, image: Uint8, epoch: int, index: int) -> Uint8:
        size, seed = self._data.image_size, [self._seed, epoch, index]
        if self._data.fit == "crop":
            numbers = np.random.default_rng([*seed, _CROP_DRAWS])
            square = resize_image(random_part(image, self._data.crop_min_area, numbers), size, size)
        else:
            square = image_square(image, size, self._data.fit)
        # Varied when small: transforms cost by the pixel.
        return self._augmentation(square, seed)


def plain_pictures(prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> Pictures:
    """The samples as validation sees them."""
    return Pictures(viewed(prepared, spec.augmentation.validation), samples, spec.data)


def load(pictures: Pictures, places: range | list[int]) -> tuple[Tensor, Tensor]:
    """Images, (N, S, S, 3) uint8 RGB, and labels, (N,) or (N, C), at those places of the split."""
    items = [pictures[0, place] for place in places]
    images = [item["image"] for item in items if isinstance(item["image"], Tensor)]
    labels = [item["label"] for item in items if isinstance(item["label"], Tensor)]
    return torch.stack(images), torch.stack(labels)
