"""Transforms of a spec on images and the objects in them."""

import random

import numpy as np

from trainyard.spec.training_spec import AugmentationSpec
from workers.prepared.version import Uint8
from workers.training.data.transforms import A, build_transform
from workers.training.tasks.detection.labels.objects import SquareObjects

_LEAST_SIDE = 1.0
"""Pixels that a box must still be wide and high."""


class Augmentation:
    """The pipeline of a spec. Raises InvalidRequest for parameters that a transform does not take."""

    def __init__(self, spec: AugmentationSpec) -> None:
        built = [build_transform(place, one, {}) for place, one in enumerate(spec.transforms)]
        self._moves = any(isinstance(one, A.DualTransform) for one in built)
        boxes = A.BboxParams(
            format="pascal_voc",
            label_fields=["places"],
            min_visibility=spec.min_visibility,
            min_width=_LEAST_SIDE,
            min_height=_LEAST_SIDE,
            clip=True,
        )
        self._all = A.Compose(built, bbox_params=boxes if self._moves else None)

    def __call__(self, image: Uint8, objects: SquareObjects, seed: list[int]) -> tuple[Uint8, SquareObjects]:
        """Vary an image, (S, S, 3), and its objects; the same seed gives the same result.

        An object is left out of which less than `min_visibility` of the area is still in the image. Boxes
        are those around the corners of the old ones; where there are masks, around what is left of them.
        """
        numbers = np.random.default_rng(seed)
        self._all.set_random_state(numbers, random.Random(int(numbers.integers(2**32))))  # noqa: S311
        if not self._moves:
            return np.asarray(self._all(image=image)["image"], np.uint8), objects
        given: dict[str, object] = {
            "image": image,
            "bboxes": objects.boxes,
            "places": np.arange(len(objects.boxes)),
        }
        if objects.masks is not None and len(objects.masks):
            given["masks"] = objects.masks
        made = self._all(**given)
        places = np.asarray(made["places"], np.int64).reshape(-1)
        varied = SquareObjects(
            boxes=np.asarray(made["bboxes"], np.float32).reshape(-1, 4),
            classes=objects.classes[places],
            crowd=objects.crowd[places],
            masks=_chosen(made.get("masks", objects.masks), places),
        )
        return np.asarray(made["image"], np.uint8), varied.bounded_by_masks()


def _chosen(masks: Uint8 | None, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Uint8 | None:
    return None if masks is None else np.ascontiguousarray(np.asarray(masks, np.uint8)[places])
