"""Prepared samples as squares with their objects."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from trainyard.spec.training_spec import DataSpec, TrainingSpec
from trainyard.tasks.detection import INSTANCES
from workers.prepared.run_lengths import decompressed
from workers.prepared.version import PreparedDataset, Sample, Uint8
from workers.training.data.image_view import viewed
from workers.training.data.resizing import image_square
from workers.training.tasks.detection.data.augmentation import Augmentation
from workers.training.tasks.detection.labels.objects import Frame, SquareObjects, box_areas, frame_of
from workers.training.tasks.detection.labels.truth import SceneTruth


class Squares(Dataset[dict[str, object]]):
    """Samples as uint8 squares, as validation sees them, asked for by (epoch, index).

    An item has `image` (S, S, 3) uint8 RGB, `name`, `objects`, which are learnt and so no crowds, and
    `truth`, what detections are compared with: all objects of the image as prepared.
    """

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> None:
        self._prepared = prepared
        self.samples = samples
        self._data: DataSpec = spec.data
        self._has_masks = spec.model.task == INSTANCES

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def images(self) -> int:
        """Whole images: each is one sample."""
        return len(self.samples)

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        sample = self.samples[draw[1]]
        image, objects = self._varied(*self._square(sample), *draw)
        return {
            "image": torch.from_numpy(image),
            "name": sample.name,
            "objects": objects.chosen(np.flatnonzero(~objects.crowd)),
            "truth": self._truth(sample),
        }

    def frame(self, sample: Sample) -> Frame:
        """How the image of a sample lies in its square."""
        return frame_of(sample.height, sample.width, self._data.image_size, self._data.fit)

    def image(self, sample: Sample) -> Uint8:
        """The image as prepared, (H, W, 3)."""
        return self._prepared.image(sample)

    def _varied(
        self, image: Uint8, objects: SquareObjects, epoch: int, index: int
    ) -> tuple[Uint8, SquareObjects]:
        return image, objects

    def _truth(self, sample: Sample) -> SceneTruth | None:
        own, areas = self._prepared.objects(sample), None
        outlines = self._prepared.compressed_outlines(sample) if "outlines" in self._prepared.kinds else None
        if outlines is not None:
            areas = np.array([decompressed(runs)[1::2].sum() for runs in outlines], np.float32)
        return SceneTruth(
            frame=self.frame(sample),
            boxes=own.boxes,
            classes=own.classes,
            crowd=own.crowd,
            areas=box_areas(own.boxes) if areas is None else areas,
            outlines=outlines if self._has_masks else None,
        )

    def _square(self, sample: Sample) -> tuple[Uint8, SquareObjects]:
        size, fit = self._data.image_size, self._data.fit
        own, frame = self._prepared.objects(sample), self.frame(sample)
        masks = None
        if self._has_masks:
            masks = _into_square(self._prepared.outlines(sample), frame, size)
        objects = SquareObjects(
            boxes=frame.into_square(own.boxes), classes=own.classes, crowd=own.crowd, masks=masks
        )
        return image_square(self._prepared.image(sample), size, fit), objects.bounded_by_masks()


class VariedSquares(Squares):
    """The same as training sees them: varied from epoch to epoch, and compared with nothing."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> None:
        super().__init__(prepared, samples, spec)
        self._augmentation = Augmentation(spec.augmentation)
        self._seed = spec.seed

    def _varied(
        self, image: Uint8, objects: SquareObjects, epoch: int, index: int
    ) -> tuple[Uint8, SquareObjects]:
        return self._augmentation(image, objects, [self._seed, epoch, index])

    def _truth(self, sample: Sample) -> SceneTruth | None:
        return None


def plain_squares(prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> Squares:
    """The samples as validation sees them."""
    return Squares(viewed(prepared, spec.augmentation.validation), samples, spec)


def load_images(squares: Squares, places: Sequence[int]) -> Tensor:
    """The images at those places, (N, S, S, 3) uint8 RGB."""
    images = [squares[0, place]["image"] for place in places]
    return torch.stack([image for image in images if isinstance(image, Tensor)])


def _into_square(masks: Uint8, frame: Frame, size: int) -> Uint8:
    """Masks of the image, (M, H, W), in the square, (M, S, S): to the nearest pixel, so that a thin object
    may come to have none."""
    placed = np.zeros((len(masks), size, size), np.uint8)
    left, top = int(frame.left), int(frame.top)
    width, height = round(frame.width * frame.across), round(frame.height * frame.down)
    for mask, square in zip(masks, placed, strict=True):
        square[top : top + height, left : left + width] = cv2.resize(
            mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT
        )
    return placed
