"""Batches whose images are blended two by two: mixup and cutmix."""

import torch
from torch import Tensor
from torch.distributions import Beta

from trainyard.spec.training_spec import AugmentationSpec
from workers.training.tasks.classification.data.batches import LabelBatch
from workers.training.tasks.classification.labels.targets import as_shares


def blended(batch: LabelBatch, spec: AugmentationSpec, classes: int) -> LabelBatch:
    """The batch with each image blended with the one at the same place from the end, and labels likewise.

    Mixup (Zhang et al., 2018) adds the two, cutmix (Yun et al., 2019) pastes a box of the other; one share is
    drawn for the batch, of torch's own numbers.
    """
    if not spec.mixup_alpha and not spec.cutmix_alpha:
        return batch
    cuts = not spec.mixup_alpha or (spec.cutmix_alpha > 0 and bool(torch.rand(()) < 0.5))
    alpha = spec.cutmix_alpha if cuts else spec.mixup_alpha
    share = float(Beta(alpha, alpha).sample())
    images = batch["image"]
    if cuts:
        images, share = _cut(images, share)
    else:
        images = images.float()
        images = share * images + (1 - share) * images.flip(0)
    labels = as_shares(batch["label"], classes)
    return LabelBatch(image=images, label=share * labels + (1 - share) * labels.flip(0), name=batch["name"])


def _cut(images: Tensor, share: float) -> tuple[Tensor, float]:
    """Images, (N, H, W, 3), with a box of the other's, and what is left of their own: the box has the share's
    rest of the area where it lies within the image, and less where it reaches beyond."""
    height, width = images.shape[1:3]
    side = (1 - share) ** 0.5
    rows, columns = (_range(length, side) for length in (height, width))
    pasted = images.clone()
    pasted[:, rows, columns] = images.flip(0)[:, rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return pasted, 1 - area / (height * width)


def _range(length: int, side: float) -> slice:
    """Around a place drawn evenly, so much of the length, as far as that goes."""
    middle, half = int(torch.randint(length, ())), round(length * side / 2)
    return slice(max(0, middle - half), min(length, middle + half))
