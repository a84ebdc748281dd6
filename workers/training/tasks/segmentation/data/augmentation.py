"""Transforms of a spec: those that are maps of straight lines in one warp, the others by albumentations.

The maps that only changes of colour come before are drawn first.
"""

import random

import numpy as np

from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import Uint8
from workers.training.data.transforms import A, build_transform
from workers.training.tasks.segmentation.data.crops import Corner, cut
from workers.training.tasks.segmentation.data.warps import warp
from workers.training.variation.homographies import Matrix, Size, drawn, leading_maps, moved

CROP_MARGIN = 0.25
"""By what share of its size the square that maps of a crop are drawn for is larger, on each side: a shift by
a tenth is by a tenth of that. Transforms that move pixels otherwise are given as much to bring in."""

_KEEPS_TRUTH = frozenset({"CoarseDropout"})
"""Transforms that hide pixels of the image, whose class is still asked for."""


class Augmentation:
    """The pipeline of a spec. Raises InvalidRequest for parameters that a transform does not take."""

    def __init__(self, transforms: list[TransformSpec], outside: int) -> None:
        built = [
            build_transform(place, spec, {} if spec.name in _KEEPS_TRUTH else {"fill_mask": outside})
            for place, spec in enumerate(transforms)
        ]
        maps = leading_maps(transforms)
        self._maps = A.Compose([built[place] for place in maps])
        rest = [place for place in range(len(built)) if place not in maps]
        self._others = A.Compose([built[place] for place in rest])
        self._moves_later = any(
            isinstance(built[place], A.DualTransform) and transforms[place].name not in _KEEPS_TRUTH
            for place in rest
        )
        self._outside = outside

    def __call__(self, image: Uint8, mask: Uint8, seed: list[int]) -> tuple[Uint8, Uint8]:
        """Vary an image, (H, W, 3), and its mask, (H, W); the same seed gives the same result.

        What a transform moves in from outside the image is `outside` in the mask.
        """
        size = (mask.shape[0], mask.shape[1])
        source = np.asarray(np.linalg.inv(self._drawn_map(size, seed)), np.float64)
        return self._with_others(*warp(image, mask, source, size, self._outside))

    def crop(
        self, image: Uint8, mask: Uint8, corner: Corner, size: int, seed: list[int]
    ) -> tuple[Uint8, Uint8]:
        """The square of `size` pixels at `corner` of an image, varied; the image goes on where it ends."""
        (top, left), margin = corner, round(size * CROP_MARGIN)
        wide = size + 2 * margin
        unmapped = np.linalg.inv(self._drawn_map((wide, wide), seed))
        kept = margin if self._moves_later else 0
        source = moved(left - margin, top - margin) @ unmapped @ moved(margin - kept, margin - kept)
        side = size + 2 * kept
        varied = self._with_others(*warp(image, mask, source, (side, side), self._outside))
        return cut(*varied, (kept, kept), size, self._outside) if kept else varied

    def _drawn_map(self, size: Size, seed: list[int]) -> Matrix:
        numbers = np.random.default_rng(seed)
        python = random.Random(int(numbers.integers(2**32)))  # noqa: S311
        for pipeline in (self._maps, self._others):
            pipeline.set_random_state(numbers, python)
        return drawn(self._maps.transforms, size)

    def _with_others(self, image: Uint8, mask: Uint8) -> tuple[Uint8, Uint8]:
        """Go on with what the map was drawn from."""
        varied = self._others(image=image, mask=mask)
        return varied["image"], varied["mask"]
