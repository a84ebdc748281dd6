"""Losses of RetinaNet, FCOS and SSD whose shapes do not depend on what is matched, for GPUs: nothing is asked
of the device, so that the host does not wait for it.

They are torchvision's: what that picks out by places counts here, and everything else counts nothing.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.ops import box_iou, sigmoid_focal_loss

from workers.training.tasks.detection.network.detector import Target

Losses = dict[str, Tensor]
NOBODY, NEITHER = -1, -2
"""In the place of a matched object: a place is background, or neither that nor of an object."""
_TINY = 1e-7
"""Beside areas of pixels, by which is divided; torchvision's."""


def retinanet_losses(
    model: RetinaNet, told: dict[str, Tensor], anchors: Sequence[Tensor], truth: Sequence[Target]
) -> Losses:
    """Of each image by the number of its own matched anchors, and their mean."""
    by_class, by_box = [], []
    for target, own, logits, moves in zip(
        truth, anchors, told["cls_logits"], told["bbox_regression"], strict=True
    ):
        matched = _matched(model.proposal_matcher, target["boxes"], own)
        found = matched >= 0
        boxes, labels = _of_matched(target, matched)
        count = found.sum().clamp(min=1)
        cost = sigmoid_focal_loss(logits, _one_hot(labels, found, logits), reduction="none")
        by_class.append(_kept(cost, matched != NEITHER).sum() / count)
        wanted = model.head.regression_head.box_coder.encode_single(boxes, own)
        by_box.append(_kept((moves - wanted).abs(), found).sum() / count)
    images = max(1, len(truth))
    return {
        "classification": torch.stack(by_class).sum() / images,
        "bbox_regression": torch.stack(by_box).sum() / images,
    }


def fcos_losses(
    model: FCOS,
    told: dict[str, Tensor],
    anchors: list[Tensor],
    places: list[int],
    truth: Sequence[Target],
) -> Losses:
    """By the number of matched places of all images; the matching is torchvision's own."""

    def losses(_targets: Any, _told: Any, _anchors: Any, matched: list[Tensor]) -> Losses:
        return _fcos_losses(model, told, anchors, truth, matched)

    stand_in = SimpleNamespace(
        center_sampling_radius=model.center_sampling_radius, head=SimpleNamespace(compute_loss=losses)
    )
    made: Losses = FCOS.compute_loss(stand_in, truth, told, anchors, places)
    return made


def _fcos_losses(
    model: FCOS,
    told: dict[str, Tensor],
    anchors: list[Tensor],
    truth: Sequence[Target],
    matched: list[Tensor],
) -> Losses:
    logits, coder = told["cls_logits"], model.head.box_coder
    pairs = [_of_matched(target, own) for target, own in zip(truth, matched, strict=True)]
    boxes, labels = (torch.stack(part) for part in zip(*pairs, strict=True))
    found, points = torch.stack(matched) >= 0, torch.stack(anchors)
    cost = sigmoid_focal_loss(logits, _one_hot(labels, found, logits), reduction="sum")
    # Of what counts nothing the box itself is compared, whose gradient is a number.
    boxes = torch.where(found[..., None], boxes, points)
    told_boxes = torch.where(found[..., None], coder.decode(told["bbox_regression"], points), points)
    apart = _giou_loss(told_boxes, boxes)
    left, top, right, bottom = coder.encode(points, boxes).unbind(-1)
    middle = torch.sqrt(_ratio(left, right) * _ratio(top, bottom))
    centred = nn.functional.binary_cross_entropy_with_logits(
        told["bbox_ctrness"].squeeze(2), _kept(middle, found), reduction="none"
    )
    count = found.sum().clamp(min=1)
    return {
        "classification": cost / count,
        "bbox_regression": _kept(apart, found).sum() / count,
        "bbox_ctrness": _kept(centred, found).sum() / count,
    }


def ssd_losses(
    model: Any,
    told: dict[str, Tensor],
    anchors: Sequence[Tensor],
    truth: Sequence[Target],
    matched: list[Tensor],
) -> Losses:
    """Of the matched boxes, and for each of these of three others that are told worst; labels are from 1."""
    pairs = [_of_matched(target, own) for target, own in zip(truth, matched, strict=True)]
    boxes, labels = (torch.stack(part) for part in zip(*pairs, strict=True))
    found = torch.stack(matched) >= 0
    wanted = torch.stack(
        [model.box_coder.encode_single(one, own) for one, own in zip(boxes, anchors, strict=True)]
    )
    moved = nn.functional.smooth_l1_loss(told["bbox_regression"], wanted, reduction="none")
    logits = told["cls_logits"]
    cost = nn.functional.cross_entropy(
        logits.flatten(0, 1), _kept(labels, found).flatten(), reduction="none"
    ).view(found.shape)
    worst = cost.masked_fill(found, -torch.inf).sort(1, descending=True).indices
    others = worst.sort(1).indices < model.neg_to_pos_ratio * found.sum(1, keepdim=True)
    count = found.sum().clamp(min=1)
    return {
        "bbox_regression": _kept(moved, found).sum() / count,
        "classification": (_kept(cost, found).sum() + _kept(cost, others).sum()) / count,
    }


def _giou_loss(one: Tensor, other: Tensor) -> Tensor:
    """1 - GIoU of boxes (..., 4) two by two (Rezatofighi et al., "Generalized Intersection over Union",
    2019); torchvision's own picks those that overlap by places."""
    inner = torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])
    both = inner.clamp(min=0).prod(-1)
    union = (one[..., 2:] - one[..., :2]).prod(-1) + (other[..., 2:] - other[..., :2]).prod(-1) - both
    outer = torch.maximum(one[..., 2:], other[..., 2:]) - torch.minimum(one[..., :2], other[..., :2])
    around = outer.prod(-1)
    return 1 - both / (union + _TINY) + (around - union) / (around + _TINY)


def _ratio(one: Tensor, other: Tensor) -> Tensor:
    """Of the smaller to the larger."""
    return torch.minimum(one, other) / torch.maximum(one, other)


def _matched(matcher: Any, boxes: Tensor, anchors: Tensor) -> Tensor:
    """For each anchor the place of its object, NOBODY or NEITHER, as torchvision's Matcher."""
    if not len(boxes):
        return torch.full((len(anchors),), NOBODY, dtype=torch.int64, device=anchors.device)
    overlap = box_iou(boxes, anchors)
    most, best = overlap.max(dim=0)
    matched = torch.where(most < matcher.high_threshold, NEITHER, best)
    matched = torch.where(most < matcher.low_threshold, NOBODY, matched)
    if not matcher.allow_low_quality_matches:
        return matched
    nearest = (overlap == overlap.amax(dim=1, keepdim=True)).any(dim=0)
    return torch.where(nearest, best, matched)


def _of_matched(target: Target, matched: Tensor) -> tuple[Tensor, Tensor]:
    """Box and label of each place's object; those of some object where it has none."""
    boxes, labels = target["boxes"], target["labels"]
    if not len(boxes):
        whole = torch.arange(4, device=boxes.device) // 2  # 0, 0, 1, 1
        return whole.to(boxes.dtype).expand(len(matched), 4), labels.new_zeros(len(matched))
    places = matched.clamp(min=0)
    return boxes[places], labels[places]


def _one_hot(labels: Tensor, found: Tensor, logits: Tensor) -> Tensor:
    classes = torch.arange(logits.shape[-1], device=logits.device)
    return ((labels[..., None] == classes) & found[..., None]).to(logits.dtype)


def _kept(values: Tensor, where: Tensor) -> Tensor:
    """Values of the places that count, and 0 for the others."""
    if values.ndim > where.ndim:
        where = where[..., None]
    return torch.where(where, values, torch.zeros((), dtype=values.dtype, device=values.device))
