"""Detectors that tell objects at every place of their maps: RetinaNet, FCOS and SSDlite of torchvision."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead
from torchvision.ops import box_iou

from workers.training.compute.devices import BY_PLACE
from workers.training.tasks.detection.network.detector import (
    LEAST_SCORE,
    MOST_DETECTIONS,
    Anchors,
    Answer,
    DefaultBoxes,
    Detections,
    Detector,
    NoBackbone,
    Target,
    give_float32,
)
from workers.training.tasks.detection.network.features import Chain, Pyramid
from workers.training.tasks.detection.network.one_stage_losses import (
    fcos_losses,
    retinanet_losses,
    ssd_losses,
)

_STRIDES = (8, 16, 32, 64, 128)
_TERMS = {"classification": "classification", "bbox_regression": "box", "bbox_ctrness": "centerness"}
"""Terms of the losses by torchvision's names."""


class OneStage(Detector):
    """Over a model of torchvision's, of which the heads, matching and losses are taken."""

    def __init__(self, encoder: Any, pyramid: nn.Module, model: Any) -> None:
        super().__init__(encoder, pyramid)
        self.model = model
        give_float32(model.head)

    def _pass(self, maps: Any) -> None:
        self.model.head(_listed(maps))

    def _answer(self, images: ImageList, maps: Any, truth: Sequence[Target] | None) -> Answer:
        levels = _listed(maps)
        told = self.model.head(levels)
        anchors = self.model.anchor_generator(images, levels)
        places = [level.shape[2] * level.shape[3] for level in levels]
        losses = {} if truth is None else self._losses(told, anchors, places, truth)
        return Answer(
            losses={_TERMS[name]: loss for name, loss in losses.items()},
            detections=[] if self.training else self._detections(images, told, anchors, places),
        )

    def _losses(
        self, told: dict[str, Tensor], anchors: list[Tensor], places: list[int], truth: Sequence[Target]
    ) -> dict[str, Tensor]:
        if anchors[0].device.type not in BY_PLACE:
            return retinanet_losses(self.model, told, anchors, truth)
        losses: dict[str, Tensor] = self.model.compute_loss(truth, told, anchors)
        return losses

    def _detections(
        self, images: ImageList, told: dict[str, Tensor], anchors: list[Tensor], places: list[int]
    ) -> list[Detections]:
        """Each level has its share of the most probable."""
        every = next(iter(told.values())).shape[1] // sum(places)
        sizes = [every * level for level in places]
        by_level = {name: list(torch.split(part, sizes, dim=1)) for name, part in told.items()}
        split = [list(torch.split(one, sizes)) for one in anchors]
        found: list[Detections] = self.model.postprocess_detections(by_level, split, images.image_sizes)
        return found


class FcosDetector(OneStage):
    """Without anchors: which level an object is told at goes by its size."""

    def _losses(
        self, told: dict[str, Tensor], anchors: list[Tensor], places: list[int], truth: Sequence[Target]
    ) -> dict[str, Tensor]:
        if anchors[0].device.type not in BY_PLACE:
            return fcos_losses(self.model, told, anchors, places, truth)
        losses: dict[str, Tensor] = self.model.compute_loss(truth, told, anchors, places)
        return losses


class SsdDetector(OneStage):
    """Of SSD, whose class 0 is the background."""

    def _losses(
        self, told: dict[str, Tensor], anchors: list[Tensor], places: list[int], truth: Sequence[Target]
    ) -> dict[str, Tensor]:
        targets = [cast("Target", {**one, "labels": one["labels"] + 1}) for one in truth]
        matched = [self._matched(one["boxes"], boxes) for one, boxes in zip(truth, anchors, strict=True)]
        if anchors[0].device.type not in BY_PLACE:
            return ssd_losses(self.model, told, anchors, targets, matched)
        losses: dict[str, Tensor] = self.model.compute_loss(targets, told, anchors, matched)
        return losses

    def _matched(self, boxes: Tensor, anchors: Tensor) -> Tensor:
        if not len(boxes):
            return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
        matched: Tensor = self.model.proposal_matcher(box_iou(boxes, anchors))
        return matched

    def _detections(
        self, images: ImageList, told: dict[str, Tensor], anchors: list[Tensor], places: list[int]
    ) -> list[Detections]:
        found = self.model.postprocess_detections(told, anchors, images.image_sizes)
        return [cast("Detections", {**one, "labels": one["labels"] - 1}) for one in found]


def retinanet(encoder: Any, classes: int) -> Detector:
    """Lin et al., "Focal Loss for Dense Object Detection", 2017."""
    pyramid = Pyramid(encoder, first=3)
    sizes = tuple(tuple(int(4 * stride * 2 ** (step / 3)) for step in range(3)) for stride in _STRIDES)
    model = RetinaNet(
        NoBackbone(pyramid.out_channels),
        classes,
        anchor_generator=Anchors(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
        score_thresh=LEAST_SCORE,
        detections_per_img=MOST_DETECTIONS,
    )
    return OneStage(encoder, pyramid, model)


def fcos(encoder: Any, classes: int) -> Detector:
    """Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", 2019."""
    pyramid = Pyramid(encoder, first=3)
    model = FCOS(
        NoBackbone(pyramid.out_channels),
        classes,
        anchor_generator=Anchors(tuple((stride,) for stride in _STRIDES), ((1.0,),) * len(_STRIDES)),
        score_thresh=LEAST_SCORE,
        detections_per_img=MOST_DETECTIONS,
    )
    return FcosDetector(encoder, pyramid, model)


def ssdlite(encoder: Any, classes: int) -> Detector:
    """Sandler et al., "MobileNetV2", 2018, after Liu et al., "SSD", 2016."""
    chain = Chain(encoder)
    boxes = DefaultBoxes([[2, 3]] * len(chain.out_channels), min_ratio=0.2, max_ratio=0.95)
    norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    model = SSD(
        NoBackbone(chain.out_channels),
        boxes,
        (320, 320),  # of its own resizing, which is not done
        classes + 1,
        head=SSDLiteHead(chain.out_channels, boxes.num_anchors_per_location(), classes + 1, norm),
        score_thresh=LEAST_SCORE,
        nms_thresh=0.55,
        detections_per_img=MOST_DETECTIONS,
        topk_candidates=300,
    )
    return SsdDetector(encoder, chain, model)


def _listed(maps: Any) -> list[Tensor]:
    return list(maps.values()) if isinstance(maps, dict) else maps
