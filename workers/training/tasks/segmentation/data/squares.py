"""Prepared samples as squares: how each image and its mask are made into one."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from trainyard.spec.training_spec import DataSpec, TrainingSpec
from workers.prepared.version import PreparedDataset, Sample, Uint8
from workers.training.data.image_view import viewed
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.tasks.segmentation.data.crops import (
    Corner,
    cut,
    random_corner,
    rare_classes,
    tile_corners,
)
from workers.training.tasks.segmentation.data.resizing import to_square
from workers.training.tasks.segmentation.labels.class_weights import count_pixels
from workers.training.tasks.segmentation.labels.mask_labels import has_class, outside_value

_CROP_DRAWS = 1
"""Keeps the draws of crops apart from those of augmentation."""


class SegmentationDataset(Dataset[dict[str, object]]):
    """Samples as uint8 squares, asked for by (epoch, index): variations differ from epoch to epoch."""

    def __init__(
        self,
        prepared: PreparedDataset,
        samples: list[Sample],
        data: DataSpec,
        augmentation: Augmentation | None,
        seed: int,
    ) -> None:
        self._prepared = prepared
        self.samples = samples
        self._data = data
        self._augmentation = augmentation
        self._seed = seed
        self._outside = outside_value(prepared.task)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def side(self) -> int:
        """Height and width of a square."""
        return self._data.image_size

    @property
    def images(self) -> int:
        """Whole images, however many squares each is cut into."""
        return len({sample.name for sample in self.samples})

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        epoch, index = draw
        image, mask = self._square(epoch, index)
        name = self.samples[index].name
        return {"image": torch.from_numpy(image), "mask": torch.from_numpy(mask), "name": name}

    def _square(self, epoch: int, index: int) -> tuple[Uint8, Uint8]:
        sample = self.samples[index]
        image, mask = self._prepared.image(sample), self._prepared.mask(sample)
        image, mask = to_square(image, mask, self._data.image_size, self._data.fit, self._outside)
        if self._augmentation is not None:
            # Varied when small: transforms cost by the pixel.
            image, mask = self._augmentation(image, mask, [self._seed, epoch, index])
        return image, mask


class RandomCrops(SegmentationDataset):
    """Squares at the images' own scale, some of them around a pixel of a class in `rare`."""

    def __init__(
        self,
        prepared: PreparedDataset,
        samples: list[Sample],
        data: DataSpec,
        augmentation: Augmentation | None,
        seed: int,
    ) -> None:
        super().__init__(prepared, samples, data, augmentation, seed)
        self._rare = rare_classes(count_pixels(prepared, samples)) if data.rare_class_chance else []

    def _square(self, epoch: int, index: int) -> tuple[Uint8, Uint8]:
        image, mask, corner = self._cornered(epoch, index)
        size = self._data.image_size
        if self._augmentation is None:
            return cut(image, mask, corner, size, self._outside)
        return self._augmentation.crop(image, mask, corner, size, [self._seed, epoch, index])

    def _cornered(self, epoch: int, index: int) -> tuple[Uint8, Uint8, Corner]:
        """A whole image, its mask, and where the crop begins that is drawn of them."""
        sample, size = self.samples[index], self._data.image_size
        numbers = np.random.default_rng([self._seed, epoch, index, _CROP_DRAWS])
        sought = self._rare if numbers.random() < self._data.rare_class_chance else []
        image, mask = self._prepared.image(sample), self._prepared.mask(sample)
        return image, mask, random_corner(mask, size, sought, self._has_class, numbers)

    def _has_class(self, mask: Uint8, index: int) -> NDArray[np.bool_]:
        return has_class(mask, index, self._prepared.task, len(self._prepared.classes))


class TiledDataset(SegmentationDataset):
    """Every pixel of every image once, at its own scale; `samples` has the image of each tile."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], data: DataSpec, seed: int) -> None:
        tiles = [
            (sample, corner)
            for sample in samples
            for corner in tile_corners(sample.height, sample.width, data.image_size)
        ]
        super().__init__(prepared, [sample for sample, _ in tiles], data, None, seed)
        self.corners = [corner for _, corner in tiles]

    def _square(self, epoch: int, index: int) -> tuple[Uint8, Uint8]:
        sample = self.samples[index]
        image, mask = self._prepared.image(sample), self._prepared.mask(sample)
        return cut(image, mask, self.corners[index], self._data.image_size, self._outside)


def plain_squares(
    prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec
) -> SegmentationDataset:
    """The samples as validation sees them: made square, or cut into tiles, as the spec says."""
    prepared = viewed(prepared, spec.augmentation.validation)
    if spec.data.fit == "crop":
        return TiledDataset(prepared, samples, spec.data, spec.seed)
    return SegmentationDataset(prepared, samples, spec.data, None, spec.seed)


def load(squares: SegmentationDataset, places: range | list[int]) -> tuple[Tensor, Tensor]:
    """Images, (N, H, W, 3) uint8 RGB, and masks, (N, H, W[, P]) uint8, at those places of the split."""
    items = [squares[0, place] for place in places]
    images = [item["image"] for item in items if isinstance(item["image"], Tensor)]
    masks = [item["mask"] for item in items if isinstance(item["mask"], Tensor)]
    return torch.stack(images), torch.stack(masks)
