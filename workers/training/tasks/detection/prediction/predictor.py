"""What a trained network finds in images, whichever way it is computed; without torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from workers.prepared.version import DepthScale, PreparedClass, Uint8
from workers.training.data.image_view import View, as_it_is
from workers.training.data.resizing import image_square
from workers.training.tasks.detection.labels.drawing import Drawn, draw_objects
from workers.training.tasks.detection.labels.matching import at_least
from workers.training.tasks.detection.labels.objects import Floats, Numbers, frame_of
from workers.training.tasks.detection.labels.placing import placed
from workers.training.tasks.detection.labels.truth import SceneAnswer

LEAST_TOLD = 0.05
"""Detections that are less probable are not told of."""
THRESHOLD = 0.5
"""From which score on a detection is believed where no validation has said so."""


class Found(NamedTuple):
    """Of a square: boxes (M, 4) in its pixels, classes (M,), scores (M,), and how probable each place of a
    box is, (M, 28, 28), None of boxes alone."""

    boxes: Floats
    classes: Numbers
    scores: Floats
    masks: Floats | None


Answer = Callable[[Uint8], Found]
"""What is found in a square, (S, S, 3) uint8 RGB."""


@dataclass(frozen=True, kw_only=True)
class ObjectPredictor:
    """Finds objects in images of any size, made squares of `image_size` pixels by `fit` as validation's were.

    Detections from `threshold` on are believed. `depth` says how images of more than 8 bits became 8 in
    training, None where that is not known; `view` is what whole images are seen through.
    """

    form: str
    classes: list[PreparedClass]
    image_size: int
    fit: str
    threshold: float
    answer: Answer
    depth: tuple[DepthScale, ...] | None = None
    view: View = as_it_is

    def predict(self, image: Uint8) -> SceneAnswer:
        """What is found in an image, (H, W, 3) RGB, in its pixels, the most probable first."""
        height, width = image.shape[:2]
        found = self.answer(image_square(self.view(image), self.image_size, self.fit))
        frame = frame_of(height, width, self.image_size, self.fit)
        return at_least(placed(*found, frame), LEAST_TOLD)

    def believed(self, answer: SceneAnswer) -> SceneAnswer:
        """Those from the threshold on."""
        return at_least(answer, self.threshold)

    def told(self, answer: SceneAnswer, size: tuple[int, int]) -> list[dict[str, Any]]:
        """Detections as JSON data, the most probable first; `size` is the image's height and width.

        `box` is left, top, width and height in pixels, `outline` COCO's compressed run lengths.
        """
        outlines: Sequence[bytes | None] = answer.outlines or [None] * len(answer.boxes)
        rows = zip(answer.classes, answer.scores, boxes_of(answer), outlines, strict=True)
        return [
            {
                "index": int(index),
                "name": self.classes[index].name,
                "score": float(score),
                "predicted": bool(score >= self.threshold),
                "box": box,
                **({} if outline is None else {"outline": as_rle(outline, size)}),
            }
            for index, score, box, outline in rows
        ]

    def drawn(self, image: Uint8, answer: SceneAnswer) -> Uint8:
        """The image with what is believed of it."""
        believed = self.believed(answer)
        names = [
            f"{self.classes[index].name} {score:.0%}"
            for index, score in zip(believed.classes, believed.scores, strict=True)
        ]
        objects = Drawn(
            boxes=believed.boxes, classes=believed.classes, names=names, outlines=believed.outlines
        )
        return draw_objects(image, objects, self.classes)


def boxes_of(answer: SceneAnswer) -> list[list[float]]:
    """As COCO has them: left, top, width and height, in pixels of the image, to a hundredth."""
    return [
        [round(float(one), 2) for one in (left, top, right - left, bottom - top)]
        for left, top, right, bottom in answer.boxes
    ]


def as_rle(outline: bytes, size: tuple[int, int]) -> dict[str, Any]:
    """An outline as a COCO file has it."""
    return {"size": list(size), "counts": outline.decode("ascii")}
