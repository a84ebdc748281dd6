"""COCO's scores of detections: average precision and recall, by IoU, size and class.

Lin et al., "Microsoft COCO", 2014, as its own evaluation computes them, here by faster-coco-eval. Objects up
to 32 x 32 pixels are small and from 96 x 96 on large, in pixels of the image as prepared. A detection in a
crowd is neither right nor wrong. What there are no objects for is None.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from faster_coco_eval import COCO
from faster_coco_eval.core.faster_eval_api import COCOeval_faster
from numpy.typing import NDArray

from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth

Kind = Literal["bbox", "segm"]
"""Whether boxes or outlines are compared."""

IOU_50, IOU_75 = 0, 5
"""Places among the IoUs 0.5, 0.55, ... 0.95."""
_SIZES = ("", "_small", "_medium", "_large")
_MOST = (1, 10, 100)
"""Detections of an image that are looked at, the most probable ones."""
_UNKNOWN = -1
"""What COCO writes where there are no objects."""


class AveragePrecision:
    """The scores of images, of which each has a truth and an answer, for so many classes."""

    def __init__(
        self, truths: Sequence[SceneTruth], answers: Sequence[SceneAnswer], classes: int, kind: Kind
    ) -> None:
        truth = COCO(print_function=_quiet)
        truth.dataset = _truth_content(truths, classes, kind)
        truth.createIndex()
        found = truth.loadRes(_found_content(answers, truths, kind))
        scores = COCOeval_faster(truth, found, iouType=kind, print_function=_quiet)
        scores.params.maxDets = list(_MOST)
        scores.evaluate()
        scores.accumulate()
        # (IoUs, recalls, classes, sizes, detections of an image), and the same without recalls.
        self.precision: NDArray[np.float64] = np.asarray(scores.eval["precision"])
        self.recall: NDArray[np.float64] = np.asarray(scores.eval["recall"])

    def row(self) -> dict[str, float | None]:
        """By name: `map`, the mean over IoUs and classes; `map50` and `map75`, of one IoU; by size; and
        `mar1` to `mar100`, the mean recall, of so many detections of an image, by size of 100."""
        named = {
            "map": self._precision(),
            "map50": self._precision(iou=IOU_50),
            "map75": self._precision(iou=IOU_75),
        }
        named |= {f"map{size}": self._precision(size=place) for place, size in enumerate(_SIZES) if place}
        named |= {f"mar{most}": self._recall(most=place) for place, most in enumerate(_MOST)}
        named |= {f"mar{size}": self._recall(size=place) for place, size in enumerate(_SIZES) if place}
        return named

    def of_classes(self, iou: int | slice = slice(None)) -> list[float | None]:
        """The average precision of each class, at one IoU or as the mean over all."""
        every = range(self.precision.shape[2])
        return [_mean(self.precision[iou, :, place, 0, -1]) for place in every]

    def recall_of_classes(self, iou: int) -> list[float | None]:
        """The part of each class's objects that is found."""
        return [_mean(self.recall[iou, place, 0, -1]) for place in range(self.recall.shape[1])]

    def curve(self, place: int, iou: int) -> NDArray[np.float64]:
        """The precision of a class at the recalls 0, 0.01, ... 1, (101,); below 0 where it has no objects."""
        return self.precision[iou, :, place, 0, -1]

    def _precision(self, iou: int | slice = slice(None), size: int = 0) -> float | None:
        return _mean(self.precision[iou, :, :, size, -1])

    def _recall(self, size: int = 0, most: int = -1) -> float | None:
        return _mean(self.recall[:, :, size, most])


def _truth_content(truths: Sequence[SceneTruth], classes: int, kind: Kind) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image, truth in enumerate(truths):
        for place, box in enumerate(truth.boxes.tolist()):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(truth.classes[place]),
                    "bbox": _as_coco(box),
                    "area": float(truth.areas[place]),
                    "iscrowd": int(truth.crowd[place]),
                    **_outline(truth.outlines, place, truth, kind),
                }
            )
    images = [
        {"id": image, "width": one.frame.width, "height": one.frame.height}
        for image, one in enumerate(truths)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": place, "name": str(place)} for place in range(classes)],
    }


def _found_content(
    answers: Sequence[SceneAnswer], truths: Sequence[SceneTruth], kind: Kind
) -> list[dict[str, Any]]:
    return [
        {
            "image_id": image,
            "category_id": int(answer.classes[place]),
            "score": float(answer.scores[place]),
            **_outline(answer.outlines, place, truth, kind),
            **({"bbox": _as_coco(box)} if kind == "bbox" else {}),
        }
        for image, (answer, truth) in enumerate(zip(answers, truths, strict=True))
        for place, box in enumerate(answer.boxes.tolist())
    ]


def _outline(outlines: list[bytes] | None, place: int, truth: SceneTruth, kind: Kind) -> dict[str, Any]:
    if kind == "bbox":
        return {}
    assert outlines is not None  # noqa: S101 - narrows the type
    size = [truth.frame.height, truth.frame.width]
    return {"segmentation": {"size": size, "counts": outlines[place]}}


def _as_coco(box: list[float]) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[values != _UNKNOWN]
    return float(known.mean()) if known.size else None


def _quiet(*told: object) -> None:
    """What the library says of its progress is of no use in a run's log."""
