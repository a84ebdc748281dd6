"""What all detectors are: an encoder, maps made of its own, and heads that tell objects by them.

Heads compute in whatever precision surrounds them; boxes are computed in float32, as bfloat16 tells no more
than 256 places apart.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

from workers.training.compute.devices import BY_PLACE

LEAST_SCORE = 0.01
"""Detections that are less probable are not looked at: precision over recall needs the improbable ones, and
the first epochs of focal losses have no others."""
MOST_DETECTIONS = 100
"""Of an image, as COCO counts."""


class Target(TypedDict, total=False):
    """The objects of an image, on its device: `boxes` (M, 4) float32, left, top, right and bottom in pixels
    of the square, `labels` (M,) int64 from 0, and of instances `masks` (M, S, S) uint8."""

    boxes: Tensor
    labels: Tensor
    masks: Tensor


class Detections(TypedDict, total=False):
    """What is found in an image, the most probable first: as its Target, with `scores` (M,) float32; `masks`
    are (M, 1, 28, 28) float32, how probable each place of the box is."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    masks: Tensor


class Answer(NamedTuple):
    """Terms of the loss by name, scalars, where the truth was told; detections of each image unless it is
    trained."""

    losses: dict[str, Tensor]
    detections: list[Detections]


class Detector(nn.Module):
    """Finds objects in images, (N, 3, S, S) float32; `encoder` gives the maps that `pyramid` is made of."""

    def __init__(self, encoder: Any, pyramid: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.pyramid = pyramid

    def forward(self, images: Tensor, truth: Sequence[Target] | None = None) -> Answer:
        """In training with the truth its losses; in evaluation detections, with the losses where the truth
        is told. In training without it the heads alone are passed, as far as they need none."""
        maps = self.pyramid(self.encoder(images))
        shapes = ImageList(images, [(int(images.shape[2]), int(images.shape[3]))] * len(images))
        if self.training and truth is None:
            self._pass(maps)
            return Answer(losses={}, detections=[])
        return self._answer(shapes, maps, truth)

    def _pass(self, maps: Any) -> None:
        raise NotImplementedError

    def _answer(self, images: ImageList, maps: Any, truth: Sequence[Target] | None) -> Answer:
        raise NotImplementedError


class NoBackbone(nn.Module):
    """Stands where torchvision's detectors ask for a backbone, of which they need the width of its maps."""

    def __init__(self, out_channels: int | list[int]) -> None:
        super().__init__()
        self.out_channels = out_channels


class Anchors(AnchorGenerator):  # type: ignore[misc]
    """Anchors in float32, whatever the maps are of."""

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        made: list[Tensor] = super().forward(image_list, [_shape_in_float32(one) for one in feature_maps])
        return made


class DefaultBoxes(DefaultBoxGenerator):  # type: ignore[misc]
    """The same of SSD's, which are made on the CPU: of a batch of a GPU once, so that it need not be waited
    for again."""

    kept: tuple[Any, list[Tensor]] | None = None

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        device = feature_maps[0].device
        if device.type in BY_PLACE:
            return self._made(image_list, feature_maps)
        shapes = tuple(tuple(one.shape[-2:]) for one in feature_maps)
        key = (tuple(image_list.image_sizes), shapes, device)
        if self.kept is None or self.kept[0] != key:
            with torch.inference_mode(mode=False):  # training cannot use what is made in inference
                self.kept = (key, self._made(image_list, feature_maps))
        return self.kept[1]

    def _made(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        made: list[Tensor] = super().forward(image_list, [_shape_in_float32(one) for one in feature_maps])
        return made


def give_float32(*heads: nn.Module) -> None:
    """Have heads give float32, in whatever precision they compute."""
    for head in heads:
        head.register_forward_hook(_widened)


def _widened(_head: nn.Module, _given: Any, made: Any) -> Any:
    return apply_to_collection(made, Tensor, Tensor.float)


def _shape_in_float32(map_: Tensor) -> Tensor:
    """Of the map's shape, without memory of its own: anchors ask for nothing else."""
    return torch.zeros((), dtype=torch.float32, device=map_.device).expand(map_.shape)
