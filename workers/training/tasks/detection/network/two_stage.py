"""Detectors that look at what seems to be an object a second time: Faster R-CNN and Mask R-CNN."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from workers.training.tasks.detection.network.detector import (
    LEAST_SCORE,
    MOST_DETECTIONS,
    Anchors,
    Answer,
    Detections,
    Detector,
    NoBackbone,
    Target,
    give_float32,
)
from workers.training.tasks.detection.network.features import Pyramid

_STRIDES = (4, 8, 16, 32, 64)
_PROPOSALS_TRAIN, _PROPOSALS = 1000, 300
"""What is looked at again: in training those that are drawn of so many, in use the most probable."""
_DRAWN = 256
"""Proposals of an image that a loss is of."""
_POOLED = 7
"""Height and width of what is looked at of a proposal, in places of a map."""
_MASK_LAYERS = 4
_TERMS = {
    "loss_objectness": "objectness",
    "loss_rpn_box_reg": "proposal_box",
    "loss_classifier": "classification",
    "loss_box_reg": "box",
    "loss_mask": "mask",
}


class TwoStage(Detector):
    """Ren et al., "Faster R-CNN", 2015, and with masks He et al., "Mask R-CNN", 2017; over a model of
    torchvision's, whose class 0 is the background."""

    def __init__(self, encoder: Any, pyramid: Pyramid, model: Any) -> None:
        super().__init__(encoder, pyramid)
        self.rpn = model.rpn
        self.roi_heads = model.roi_heads
        give_float32(self.rpn.head, self.roi_heads.box_predictor)
        if self.roi_heads.has_mask():
            give_float32(self.roi_heads.mask_predictor)

    def _pass(self, maps: Any) -> None:
        self.rpn.head(list(maps.values()))

    def _answer(self, images: ImageList, maps: Any, truth: Sequence[Target] | None) -> Answer:
        if self.training:
            return Answer(losses=self._losses(images, maps, truth), detections=[])
        proposals, _ = self.rpn(images, maps)
        found, _ = self.roi_heads(maps, proposals, images.image_sizes)
        losses = {}
        if truth is not None:
            with self._as_in_training(maps):
                losses = self._losses(images, maps, truth)
        return Answer(losses=losses, detections=[_without_background(one) for one in found])

    def _losses(self, images: ImageList, maps: Any, truth: Any) -> dict[str, Any]:
        targets = [{**one, "labels": one["labels"] + 1} for one in truth]
        proposals, of_proposals = self.rpn(images, maps, targets)
        _, of_objects = self.roi_heads(maps, proposals, images.image_sizes, targets)
        return {_TERMS[name]: loss for name, loss in {**of_proposals, **of_objects}.items()}

    @contextmanager
    def _as_in_training(self, maps: Any) -> Iterator[None]:
        """Losses of validation are of proposals that are drawn as in training, always the same ones: the
        heads have no norms and no dropout, so that they compute as they do in evaluation."""
        device = next(iter(maps.values())).device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(0)
            self.rpn.train()
            self.roi_heads.train()
            try:
                yield
            finally:
                self.rpn.eval()
                self.roi_heads.eval()


def faster_rcnn(encoder: Any, classes: int) -> Detector:
    """For so many classes, without the background."""
    pyramid = Pyramid(encoder, first=2)
    model = FasterRCNN(NoBackbone(pyramid.out_channels), **options_of(pyramid, classes))
    return TwoStage(encoder, pyramid, model)


def mask_rcnn(encoder: Any, classes: int) -> Detector:
    """The same with masks."""
    pyramid = Pyramid(encoder, first=2)
    width = pyramid.out_channels
    model = MaskRCNN(
        NoBackbone(width),
        mask_head=MaskRCNNHeads(width, (width,) * _MASK_LAYERS, dilation=1),
        mask_predictor=MaskRCNNPredictor(width, width, classes + 1),
        **options_of(pyramid, classes),
    )
    return TwoStage(encoder, pyramid, model)


def options_of(pyramid: Pyramid, classes: int) -> dict[str, Any]:
    """What torchvision's models are made with. Anchors are of four times a map's stride, half of their own,
    whose images are larger."""
    width = 4 * pyramid.out_channels
    return {
        "rpn_anchor_generator": Anchors(
            tuple((4 * stride,) for stride in _STRIDES), ((0.5, 1.0, 2.0),) * len(_STRIDES)
        ),
        "box_head": TwoMLPHead(pyramid.out_channels * _POOLED**2, width),
        "box_predictor": FastRCNNPredictor(width, classes + 1),
        "rpn_pre_nms_top_n_train": _PROPOSALS_TRAIN,
        "rpn_post_nms_top_n_train": _PROPOSALS_TRAIN,
        "rpn_pre_nms_top_n_test": _PROPOSALS,
        "rpn_post_nms_top_n_test": _PROPOSALS,
        "box_batch_size_per_image": _DRAWN,
        "box_score_thresh": LEAST_SCORE,
        "box_detections_per_img": MOST_DETECTIONS,
    }


def _without_background(found: Any) -> Detections:
    numbered: dict[str, Tensor] = {**found, "labels": found["labels"] - 1}
    return cast("Detections", numbered)
