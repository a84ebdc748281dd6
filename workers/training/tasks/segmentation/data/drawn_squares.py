"""Squares that are varied on the device that trains: with each comes what was drawn for it."""

import cv2
import numpy as np
import torch

from trainyard.catalog.names import WHERE_IT_TRAINS
from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset, Sample, Uint8
from workers.training.tasks.segmentation.data.augmentation import CROP_MARGIN
from workers.training.tasks.segmentation.data.crops import cut
from workers.training.tasks.segmentation.data.squares import RandomCrops, SegmentationDataset
from workers.training.tasks.segmentation.data.warps import seen_part
from workers.training.variation.batches import DRAWN
from workers.training.variation.drawing import Drawn, Draws
from workers.training.variation.homographies import Matrix, moved


class DrawnSquares(SegmentationDataset):
    """Whole images as squares."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> None:
        super().__init__(prepared, samples, spec.data, None, spec.seed)
        self._draws = Draws(spec.augmentation.transforms)

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        size = (self.side, self.side)
        return {**super().__getitem__(draw), DRAWN: self._draws(size, size, [self._seed, *draw])}


class DrawnCrops(RandomCrops):
    """Parts of images, in squares of `loaded_side` pixels: all that the map which was drawn shows."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> None:
        super().__init__(prepared, samples, spec.data, None, spec.seed)
        self._draws = Draws(spec.augmentation.transforms)
        self.loaded_side = loaded_side(spec)

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        image, mask, corner = self._cornered(*draw)
        size, margin = self.side, round(self.side * CROP_MARGIN)
        wide = size + 2 * margin
        drawn = self._draws((wide, wide), (size, size), [self._seed, *draw])
        if self._draws.maps:
            source = moved(corner[1] - margin, corner[0] - margin) @ drawn.source @ moved(margin, margin)
            image, mask, source = self._seen(image, mask, source)
            drawn = Drawn(source=source, changes=drawn.changes)
        else:
            image, mask = cut(image, mask, corner, size, self._outside)
        tensors = {"image": torch.from_numpy(image), "mask": torch.from_numpy(mask)}
        return {**tensors, "name": self.samples[draw[1]].name, DRAWN: drawn}

    def _seen(self, image: Uint8, mask: Uint8, source: Matrix) -> tuple[Uint8, Uint8, Matrix]:
        """What a map shows of an image and its mask, made smaller where it is larger than what is loaded, at
        the beginning of squares; and the map from there."""
        side = self.loaded_side
        pixels, labels = np.zeros((side, side, 3), np.uint8), np.full((side, side), self._outside, np.uint8)
        rows, columns = seen_part(source, (self.side, self.side), mask.shape)
        height, width = max(0, rows.stop - rows.start), max(0, columns.stop - columns.start)
        within = moved(-columns.start, -rows.start) @ source
        if not height or not width:
            return pixels, labels, within
        seen, truth = image[rows, columns], mask[rows, columns]
        if max(height, width) > side:
            share = side / max(height, width)
            down, across = max(1, round(height * share)), max(1, round(width * share))
            seen = np.asarray(cv2.resize(seen, (across, down), interpolation=cv2.INTER_AREA), np.uint8)
            resized = cv2.resize(truth, (across, down), interpolation=cv2.INTER_NEAREST_EXACT)
            within = _scaled(across / width, down / height) @ within
            height, width, truth = down, across, np.asarray(resized, np.uint8)
        pixels[:height, :width], labels[:height, :width] = seen, truth
        return pixels, labels, within


def loaded_side(spec: TrainingSpec) -> int:
    """Height and width of what is loaded of an image for one square of training, in pixels."""
    size, augmentation = spec.data.image_size, spec.augmentation
    if augmentation.device != WHERE_IT_TRAINS or spec.data.fit != "crop":
        return size
    return size + 2 * round(size * CROP_MARGIN) if Draws(augmentation.transforms).maps else size


def _scaled(across: float, down: float) -> Matrix:
    """The map from pixels of an image to those of a resized one: the edges stay, not the middles."""
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]], np.float64)
