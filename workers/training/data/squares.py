"""Squares without augmentation, for whatever looks at a network after its training."""

import torch
from torch import Tensor

from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.batches import Squares, Tiles


def plain_squares(prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec) -> Squares:
    """The samples as validation sees them: made square, or cut into tiles, as the spec says."""
    if spec.data.fit == "crop":
        return Tiles(prepared, samples, spec.data, spec.seed)
    return Squares(prepared, samples, spec.data, None, spec.seed)


def load(squares: Squares, places: range | list[int]) -> tuple[Tensor, Tensor]:
    """Images, (N, H, W, 3) uint8 RGB, and masks, (N, H, W) uint8, at those places of the split."""
    items = [squares[0, place] for place in places]
    images = [item["image"] for item in items if isinstance(item["image"], Tensor)]
    masks = [item["mask"] for item in items if isinstance(item["mask"], Tensor)]
    return torch.stack(images), torch.stack(masks)
