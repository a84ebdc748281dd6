"""Squares whose images are varied on the device that trains, and whose objects come varied."""

import cv2
import numpy as np

from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset, Sample, Uint8
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.labels.objects import Floats, SquareObjects, box_areas
from workers.training.tasks.detection.labels.truth import SceneTruth
from workers.training.variation.batches import DRAWN
from workers.training.variation.drawing import Drawn, Draws
from workers.training.variation.homographies import Matrix

_LEAST_SIDE = 1.0
"""Pixels that a box must still be wide and high."""


class DrawnSquares(Squares):
    """As training sees them, from epoch to epoch, and compared with nothing."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> None:
        super().__init__(prepared, samples, spec)
        self._draws = Draws(spec.augmentation.transforms)
        self._seed = spec.seed
        self._least = spec.augmentation.min_visibility

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        return {**super().__getitem__(draw), DRAWN: self._drawn(*draw)}

    def _varied(
        self, image: Uint8, objects: SquareObjects, epoch: int, index: int
    ) -> tuple[Uint8, SquareObjects]:
        drawn = self._drawn(epoch, index)
        return image, seen_through(
            objects, drawn.source, image.shape[0], self._least
        ) if drawn.moves else objects

    def _truth(self, sample: Sample) -> SceneTruth | None:
        return None

    def _drawn(self, epoch: int, index: int) -> Drawn:
        """The same each time: the draws are a few numbers."""
        size = (self._data.image_size, self._data.image_size)
        return self._draws(size, size, [self._seed, epoch, index])


def seen_through(objects: SquareObjects, source: Matrix, size: int, least: float) -> SquareObjects:
    """Objects of a square after a map, of which `source` says where a pixel of the result was.

    A box becomes the one around its corners; where there are masks, around what is left of them. Left out
    is what has less than the share `least` of its area, or of a pixel, still in the square.
    """
    whole = _boxes_around(objects.boxes, np.asarray(np.linalg.inv(source), np.float64))
    boxes = np.clip(whole, 0, size).astype(np.float32)
    share = box_areas(boxes) / np.maximum(box_areas(whole), np.finfo(np.float32).tiny)
    large = (boxes[:, 2:] - boxes[:, :2] >= _LEAST_SIDE).all(axis=1)
    kept = np.flatnonzero((share >= least) & large)
    moved = SquareObjects(boxes=boxes, classes=objects.classes, crowd=objects.crowd, masks=objects.masks)
    seen = moved.chosen(kept)
    if seen.masks is None:
        return seen
    masks = np.stack([_warped(mask, source) for mask in seen.masks]) if len(kept) else seen.masks
    return SquareObjects(
        boxes=seen.boxes, classes=seen.classes, crowd=seen.crowd, masks=masks
    ).bounded_by_masks()


def _boxes_around(boxes: Floats, matrix: Matrix) -> Floats:
    """The boxes, (M, 4), around the corners of others after a map of pixels' middles.

    One of which a corner comes to lie beyond the horizon has no place: NaN.
    """
    edges = boxes.astype(np.float64) - 0.5  # where the first pixel begins, if its middle is at 0
    corners = edges[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    x, y, scale = np.moveaxis(corners @ matrix[:, :2].T + matrix[:, 2], -1, 0)
    beyond = scale <= 0
    divisor = np.where(beyond, 1.0, scale)
    places = np.stack([x / divisor, y / divisor], axis=-1) + 0.5
    places[beyond.any(axis=1)] = np.nan
    return np.concatenate([places.min(axis=1), places.max(axis=1)], axis=1).astype(np.float32)


def _warped(mask: Uint8, source: Matrix) -> Uint8:
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(mask, source, mask.shape[::-1], flags=flags), np.uint8)
