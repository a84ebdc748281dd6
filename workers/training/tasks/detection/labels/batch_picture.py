"""Images of a batch as the network sees them, with their objects and what is found."""

from collections.abc import Sequence

import numpy as np
import torch

from workers.prepared.run_lengths import compressed, runs_of
from workers.prepared.version import PreparedClass, Uint8
from workers.training.tasks.detection.labels.drawing import Drawn, below, beside, draw_objects, of_width
from workers.training.tasks.detection.labels.matching import at_least
from workers.training.tasks.detection.labels.objects import Frame
from workers.training.tasks.detection.labels.scores import answer_of
from workers.training.tasks.detection.network.detector import Detections, Target

LEAST = 0.3
"""How probable a detection is that is drawn: in the first epochs few are more so."""
MOST = 20
"""Detections of an image that are drawn, the most probable ones."""
_WIDTH = 640
"""Pixels of the picture's width."""


def batch_picture(
    images: torch.Tensor,
    targets: Sequence[Target],
    found: Sequence[Detections],
    classes: Sequence[PreparedClass],
) -> Uint8:
    """Objects on the left and detections on the right, one image below the other; `images` are (N, S, S, 3)
    uint8."""
    rows = zip(images.cpu().numpy(), targets, found, strict=True)
    return below([of_width(_row(*one, classes), _WIDTH) for one in rows])


def _row(image: Uint8, target: Target, found: Detections, classes: Sequence[PreparedClass]) -> Uint8:
    height, width = image.shape[:2]
    frame = Frame(left=0.0, top=0.0, across=1.0, down=1.0, width=width, height=height)
    answer = at_least(answer_of(found, frame), LEAST)
    outlines = None if answer.outlines is None else answer.outlines[:MOST]
    told = [
        f"{classes[index].name} {score:.0%}"
        for index, score in zip(answer.classes[:MOST], answer.scores[:MOST], strict=True)
    ]
    right = Drawn(boxes=answer.boxes[:MOST], classes=answer.classes[:MOST], names=told, outlines=outlines)
    return beside([draw_objects(image, drawn, classes) for drawn in (_objects(target, classes), right)])


def _objects(target: Target, classes: Sequence[PreparedClass]) -> Drawn:
    labels = target["labels"].cpu().numpy()
    masks = target["masks"].cpu().numpy() if "masks" in target else None
    return Drawn(
        boxes=np.asarray(target["boxes"].cpu().numpy(), np.float32),
        classes=labels,
        names=[classes[index].name for index in labels],
        outlines=None if masks is None else [compressed(runs_of(mask)) for mask in masks],
    )
