"""Transforms of a spec on images alone."""

import random

import numpy as np

from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import Uint8
from workers.training.data.transforms import A, build_transform


class Augmentation:
    """The pipeline of a spec. Raises InvalidRequest for parameters that a transform does not take."""

    def __init__(self, transforms: list[TransformSpec]) -> None:
        self._all = A.Compose([build_transform(place, spec, {}) for place, spec in enumerate(transforms)])

    def __call__(self, image: Uint8, seed: list[int]) -> Uint8:
        """Vary an image, (H, W, 3); the same seed gives the same result."""
        numbers = np.random.default_rng(seed)
        self._all.set_random_state(numbers, random.Random(int(numbers.integers(2**32))))  # noqa: S311
        return np.asarray(self._all(image=image)["image"], np.uint8)
