"""Which detection is of which object, at one IoU: for what a person reads. Without torch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.training.tasks.detection.labels.objects import Floats, Numbers, box_areas
from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth

IOU = 0.5
NOBODY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Matches:
    """Of each detection, (D,), the place of its object, NOBODY where it is of none; `ignored`, (D,), where it
    lies in a crowd, and so is neither right nor wrong. `found`, (M,), has the detection of each object."""

    objects: Numbers
    ignored: NDArray[np.bool_]
    found: Numbers


def matched(truth: SceneTruth, answer: SceneAnswer, *, by_class: bool) -> Matches:
    """Each detection, the most probable first, takes the object that it overlaps most among those that are
    not taken: `by_class` of its own class, else of any."""
    overlap = iou_of(answer.boxes, truth.boxes)
    overlap[:, truth.crowd] = 0
    if by_class:
        overlap[answer.classes[:, None] != truth.classes[None, :]] = 0
    objects = np.full(len(answer.boxes), NOBODY, np.int64)
    found = np.full(len(truth.boxes), NOBODY, np.int64)
    for place, row in enumerate(overlap):
        free = np.where(found == NOBODY, row, 0)
        best = int(free.argmax()) if len(free) else 0
        if len(free) and free[best] >= IOU:
            objects[place], found[best] = best, place
    ignored = (objects == NOBODY) & _in_crowd(truth, answer)
    return Matches(objects=objects, ignored=ignored, found=found)


def iou_of(boxes: Floats, others: Floats) -> Floats:
    """The area that two boxes share by that of both together, (M, K) of (M, 4) and (K, 4)."""
    shared = _shared(boxes, others)
    together = box_areas(boxes)[:, None] + box_areas(others)[None, :] - shared
    return np.asarray(shared / np.maximum(together, 1e-9), np.float32)


def at_least(answer: SceneAnswer, score: float) -> SceneAnswer:
    """Those detections that are at least so probable."""
    places = np.flatnonzero(answer.scores >= score)
    outlines: list[Any] | None = None
    if answer.outlines is not None:
        outlines = [answer.outlines[place] for place in places]
    return SceneAnswer(
        boxes=answer.boxes[places],
        classes=answer.classes[places],
        scores=answer.scores[places],
        outlines=outlines,
    )


def _in_crowd(truth: SceneTruth, answer: SceneAnswer) -> NDArray[np.bool_]:
    """Where half of a detection lies within a crowd of its class."""
    crowds = truth.crowd[None, :] & (answer.classes[:, None] == truth.classes[None, :])
    inside = _shared(answer.boxes, truth.boxes) / np.maximum(box_areas(answer.boxes), 1e-9)[:, None]
    return np.asarray(((inside >= IOU) & crowds).any(axis=1))


def _shared(boxes: Floats, others: Floats) -> Floats:
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=2), np.float32)
