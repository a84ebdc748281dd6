"""Transforms of a spec as one albumentations pipeline."""

import inspect
import os
import random

# albumentations asks the network for its newest version when it is imported, unless told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import numpy as np

from trainyard.errors import InvalidRequest
from trainyard.spec import TransformSpec
from workers.prepared import Uint8

_KEEPS_TRUTH = frozenset({"CoarseDropout"})
"""Transforms that hide pixels of the image, whose class is still asked for."""


class Augmentation:
    """The pipeline of a spec. Raises InvalidRequest for parameters that a transform does not take."""

    def __init__(self, transforms: list[TransformSpec], outside: int) -> None:
        self._pipeline = A.Compose([_build(place, spec, outside) for place, spec in enumerate(transforms)])

    def __call__(self, image: Uint8, mask: Uint8, seed: list[int]) -> tuple[Uint8, Uint8]:
        """Vary an image, (H, W, 3), and its mask, (H, W); the same seed gives the same result.

        What a transform moves in from outside the image is `outside` in the mask.
        """
        numbers = np.random.default_rng(seed)
        self._pipeline.set_random_state(numbers, random.Random(int(numbers.integers(2**32))))  # noqa: S311
        varied = self._pipeline(image=image, mask=mask)
        return varied["image"], varied["mask"]


def _build(place: int, spec: TransformSpec, outside: int) -> A.BasicTransform:
    kind = getattr(A, spec.name)
    accepted = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
    unknown = sorted(set(spec.params) - set(accepted))
    if unknown:
        raise _refusal(place, f"{spec.name} takes no {', '.join(unknown)}; it takes: {', '.join(accepted)}")
    moves_pixels = "fill_mask" in accepted and spec.name not in _KEEPS_TRUTH
    filled = {"fill_mask": outside} if moves_pixels else {}
    try:
        return kind(**{**filled, **spec.params})
    except (TypeError, ValueError) as error:
        raise _refusal(place, f"{spec.name}: {error}") from error


def _refusal(place: int, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"spec.augmentation.transforms[{place}] cannot be built: {problem}.",
        errors={"spec": {"augmentation": {"transforms": {str(place): {"params": [problem]}}}}},
    )
