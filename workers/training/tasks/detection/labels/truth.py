"""What is in an image, and what is found in it, in pixels of the image as prepared. Without torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.training.tasks.detection.labels.objects import Floats, Frame, Numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneTruth:
    """All objects of an image: `boxes` (M, 4) float32, `classes` (M,) from 0, `crowd` (M,); `areas` (M,), by
    which they count as small or large: of their outlines where the set has such. `outlines` are COCO's
    compressed run lengths, None of boxes alone; `frame` is how the image lies in its square."""

    frame: Frame
    boxes: Floats
    classes: Numbers
    crowd: NDArray[np.bool_]
    areas: Floats
    outlines: list[bytes] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneAnswer:
    """What is found in an image, the most probable first: as its truth, with `scores` (M,)."""

    boxes: Floats
    classes: Numbers
    scores: Floats
    outlines: list[bytes] | None = None


class Scenes:
    """The truth of each image of a batch, which stays on the host."""

    def __init__(self, truths: list[SceneTruth | None]) -> None:
        self.truths = truths
