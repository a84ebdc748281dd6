"""Batches that are varied on the device that trains: what was drawn for each image comes with them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from workers.training.compute.full_precision import without_autocast
from workers.training.data.loaders import Batch
from workers.training.variation.changes import changed
from workers.training.variation.drawing import Drawn
from workers.training.variation.warping import warped

DRAWN = "drawn"
"""Of a sample: its Drawn."""
Collate = Callable[[list[dict[str, Any]]], Batch]


class DrawnBatch(Batch, total=False):
    """Images as loaded. `sources`, (N, 3, 3) float32, and `changes` say how each is to be varied; batches of
    validation lack both."""

    sources: Tensor
    changes: "Changes"


class Changes:
    """What is done to the pixels of each image of a batch, and whether any of them move: it stays on the
    host."""

    def __init__(self, drawn: Sequence[Drawn]) -> None:
        self.of_image = [one.changes for one in drawn]
        self.moves = any(one.moves for one in drawn)


def with_drawn(collate: Collate | None) -> Collate:
    """A maker of batches for samples that may have a `drawn`, of one for those that have none."""
    return partial(_collated, default_collate if collate is None else collate)


def _collated(collate: Collate, items: list[dict[str, Any]]) -> Batch:
    """At the top of the module, so that loader processes can be sent it."""
    batch = collate([{name: value for name, value in item.items() if name != DRAWN} for item in items])
    drawn = [item[DRAWN] for item in items if DRAWN in item]
    if not drawn:
        return batch
    sources = torch.from_numpy(np.stack([one.source for one in drawn])).float()
    return cast("Batch", {**batch, "sources": sources, "changes": Changes(drawn)})


def varied(batch: Any, size: int, masks: Mapping[str, int] | None = None) -> Any:
    """A batch with its images varied, (N, size, size, 3) uint8, and its masks, which go by their names, with
    what is beyond the image in each; the batch itself where nothing was drawn for it.

    The host waits for nothing.
    """
    if "changes" not in batch:
        return batch
    changes: Changes = batch["changes"]
    images, moved = batch["image"], {}
    with without_autocast(images.device):
        if changes.moves:
            sources = batch["sources"]
            images = warped(images, sources, size, "bilinear")
            for name, outside in (masks or {}).items():
                moved[name] = warped(batch[name][..., None], sources, size, "nearest", outside)[..., 0]
        images = _changed(images, changes)
    return {**batch, **moved, "image": images}


def _changed(images: Tensor, changes: Changes) -> Tensor:
    """Images, (N, H, W, 3) uint8, each after its own changes."""
    made = images.clone()
    for pixels, several in zip(made, changes.of_image, strict=True):
        image = pixels.permute(2, 0, 1)
        for change in several:
            image = changed(image, change)
        if several:
            pixels.copy_(image.permute(1, 2, 0))
    return made
