"""Images of a prepared set with their mean colour."""

import cv2
import torch
from torch import Tensor
from torch.utils.data import Dataset

from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.loaders import Batch


class ColourBatch(Batch):
    """With `colour` (N, 3) float32, in 0 to 1."""

    colour: Tensor


class Thumbnails(Dataset[dict[str, object]]):
    """Images made small squares."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], size: int) -> None:
        self._prepared = prepared
        self.samples = samples
        self._size = size

    @property
    def images(self) -> int:
        return len(self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        sample = self.samples[draw[1]]
        image = torch.from_numpy(cv2.resize(self._prepared.image(sample), (self._size, self._size)))
        return {"image": image, "name": sample.name, "colour": image.float().mean(dim=(0, 1)) / 255}
