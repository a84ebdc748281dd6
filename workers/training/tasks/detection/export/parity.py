"""Whether an ONNX graph finds what the checkpoint does: matched boxes, and mAP50, on validation images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from torch import nn

from trainyard.tasks.detection import INSTANCES
from workers.training.checkpoints.files import ModelCard
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.export.files import session_of
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.labels.average_precision import AveragePrecision, Kind
from workers.training.tasks.detection.labels.matching import iou_of
from workers.training.tasks.detection.labels.placing import placed
from workers.training.tasks.detection.labels.scores import arrays_of
from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth
from workers.training.tasks.detection.network.detector import MOST_DETECTIONS
from workers.training.tasks.detection.prediction.onnx_file import answer_of
from workers.training.tasks.detection.prediction.predictor import Answer, Found

SCORED = 100
"""Validation images, evenly spread, that both are asked about; all where there are fewer."""
COMPARED = 0.05
"""Detections from that score on must be found by both; those near it, or near the score at which the other
has as many as it may, fall on either side."""
MARGIN = 0.001
_FAR = 1e4
"""Pixels, beside which the order of boxes that overlap nothing goes by how near they are."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What a form of the file may differ by. Boxes of an IoU of `same`, or whose sides are `near` pixels
    apart at most, are of one detection, and the share `matched` of all is to be of both, with `scores` that
    differ by no more; None judges neither. mAP50 may differ by `map50`, or by one object."""

    same: float
    near: float
    matched: float | None
    scores: float | None
    map50: float
    one_object: bool = True


TOLERANCES = {
    "fp32": Tolerance(same=0.99, near=0.1, matched=0.999, scores=1e-3, map50=0.001, one_object=False),
    # float16 keeps 11 bits; of boxes that overlap, another one may be left.
    "fp16": Tolerance(same=0.9, near=1.0, matched=0.97, scores=0.02, map50=0.005),
    # Eight bits move every score; what counts is what is found.
    "int8": Tolerance(same=0.9, near=1.0, matched=None, scores=None, map50=0.03),
}


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Of all detections compared, the share that both have, with the same class and a like box; among those
    the largest difference of a box's side, in pixels of the square, of a score, and of a mask's probability;
    and the mAP50 of each on `images` images with so many `objects`."""

    images: int
    objects: int
    compared: int
    matched: float
    boxes: float
    scores: float
    masks: float
    exported_map50: float
    trained_map50: float

    def failure(self, bound: Tolerance) -> str | None:
        """None where the file keeps within its tolerance, else what it breaks."""
        if bound.matched is not None and self.matched < bound.matched:
            return f"{self.matched:.2%} of {self.compared} detections are matched, not {bound.matched:.1%}"
        if bound.scores is not None and not self.scores <= bound.scores:  # NaN is not
            return f"scores differ by {self.scores:.2g}, more than {bound.scores:g}"
        allowed = max(bound.map50, 1.001 / max(1, self.objects) if bound.one_object else 0.0)
        if abs(self.exported_map50 - self.trained_map50) > allowed:
            return (
                f"mAP50 is {self.exported_map50:.4f}, not {self.trained_map50:.4f}; "
                f"{allowed:.3g} apart is allowed"
            )
        return None


def compare(
    network: nn.Module, model: onnx.ModelProto, card: ModelCard, val: Squares, bound: Tolerance
) -> Parity:
    """Ask both about the same images; raises ExportMismatch where onnxruntime cannot compute the graph."""
    facts = {entry.key: entry.value for entry in model.metadata_props}
    exported, trained = answer_of(session_of(model), facts), _torch_answer(network, card)
    places = [int(place) for place in np.linspace(0, len(val) - 1, min(len(val), SCORED))]
    pairs: list[tuple[Found, Found]] = []
    scenes: list[SceneTruth] = []
    for place in places:
        item = val[0, place]
        image, scene = item["image"], item["truth"]
        assert isinstance(image, torch.Tensor)  # noqa: S101 - narrows the type
        assert isinstance(scene, SceneTruth)  # noqa: S101
        pairs.append((exported(image.numpy()), trained(image.numpy())))
        scenes.append(scene)
    return _parity(pairs, scenes, card, bound)


def _parity(
    pairs: Sequence[tuple[Found, Found]], scenes: Sequence[SceneTruth], card: ModelCard, bound: Tolerance
) -> Parity:
    compared = [_of_image(one, other, bound) for one, other in pairs]
    total = sum(len(hits) for hits, *_ in compared)
    hits = sum(int(hits.sum()) for hits, *_ in compared)
    scored = [_map50([pair[side] for pair in pairs], scenes, card) for side in (0, 1)]
    return Parity(
        images=len(pairs),
        objects=sum(int((~scene.crowd).sum()) for scene in scenes),
        compared=total,
        matched=hits / total if total else 1.0,
        boxes=max((boxes for _, boxes, _, _ in compared), default=0.0),
        scores=max((scores for *_, scores, _ in compared), default=0.0),
        masks=max((masks for *_, masks in compared), default=0.0),
        exported_map50=scored[0],
        trained_map50=scored[1],
    )


def _of_image(one: Found, other: Found, bound: Tolerance) -> tuple[np.ndarray, float, float, float]:
    """Which detections that either is sure of the other has, and how far matched ones are apart."""
    hits: list[bool] = []
    boxes, scores, masks = [0.0], [0.0], [0.0]
    for own, theirs in ((one, other), (other, one)):
        overlap = iou_of(own.boxes, theirs.boxes)
        overlap[own.classes[:, None] != theirs.classes[None, :]] = 0
        # Of boxes that lie alike the one with the nearest score; boxes without any area overlap nothing.
        near = overlap - np.abs(own.scores[:, None] - theirs.scores[None, :])
        near -= (own.classes[:, None] != theirs.classes[None, :]) * 2.0
        near -= np.abs(own.boxes[:, None] - theirs.boxes[None, :]).max(axis=2) / _FAR
        for place in np.flatnonzero(own.scores >= max(COMPARED, _cut_at(theirs)) + MARGIN):
            best = int(near[place].argmax()) if near.shape[1] else -1
            if best < 0:
                hits.append(False)
                continue
            apart = float(np.abs(own.boxes[place] - theirs.boxes[best]).max())
            same = overlap[place, best] >= bound.same or apart <= bound.near
            hits.append(bool(same))
            if same:
                boxes.append(apart)
                scores.append(float(abs(own.scores[place] - theirs.scores[best])))
                if own.masks is not None and theirs.masks is not None:
                    masks.append(float(np.abs(own.masks[place] - theirs.masks[best]).max()))
    return np.array(hits, np.bool_), max(boxes), max(scores), max(masks)


def _cut_at(found: Found) -> float:
    """The score below which an image's detections may have been cut off as too many: which of equally
    probable ones are left is chance."""
    return float(found.scores.min()) if len(found.scores) >= MOST_DETECTIONS else 0.0


def _map50(found: Sequence[Found], scenes: Sequence[SceneTruth], card: ModelCard) -> float:
    kind: Kind = "segm" if card.spec.model.task == INSTANCES else "bbox"
    answers: list[SceneAnswer] = [placed(*one, scene.frame) for one, scene in zip(found, scenes, strict=True)]
    return AveragePrecision(scenes, answers, len(card.classes), kind).row()["map50"] or 0.0


def _torch_answer(network: nn.Module, card: ModelCard) -> Answer:
    trained = TrainedNetwork(network, card.rule)

    def answer(square: np.ndarray) -> Found:
        with torch.inference_mode():
            (found,) = trained(torch.from_numpy(square)[None]).detections
        return Found(*arrays_of(found))

    return answer
