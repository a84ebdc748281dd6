"""Images as all but training sees them: through `augmentation.validation`, or as they are."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import PreparedDataset, Sample, Uint8

View = Callable[[Uint8], Uint8]
"""An image, (H, W, 3) uint8 RGB of any size, as it is to be seen, of the same size."""


def as_it_is(image: Uint8) -> Uint8:
    """The view of a run without such transforms."""
    return image


class TransformedView:
    """An image through transforms that draw nothing, in their order. Safe to pickle to a loader process."""

    def __init__(self, transforms: Sequence[TransformSpec]) -> None:
        from workers.training.data.transforms import A, build_transform  # takes a second to import

        self._transforms = A.Compose(
            [build_transform(place, one, {}) for place, one in enumerate(transforms)]
        )

    def __call__(self, image: Uint8) -> Uint8:
        seen: Uint8 = self._transforms(image=np.ascontiguousarray(image))["image"]
        return seen


class ViewedDataset(PreparedDataset):
    """A prepared set whose images are seen through a view."""

    def __init__(self, prepared: PreparedDataset, view: View) -> None:
        self.__setstate__({**prepared.__getstate__(), "_view": view})

    def image(self, sample: Sample) -> Uint8:
        view: View = self.__dict__["_view"]
        return view(super().image(sample))


def view_of(transforms: Sequence[TransformSpec]) -> View:
    """The view of a spec's `augmentation.validation`."""
    return TransformedView(transforms) if transforms else as_it_is


def viewed(prepared: PreparedDataset, transforms: Sequence[TransformSpec]) -> PreparedDataset:
    """The set as validation sees it; itself where that is as it is."""
    return ViewedDataset(prepared, view_of(transforms)) if transforms else prepared


def told_view(transforms: Sequence[TransformSpec]) -> str:
    """The transforms as an exported file tells them."""
    return json.dumps([asdict(one) for one in transforms])


def view_as_told(text: str) -> View:
    """The view that `told_view` tells of."""
    told: list[dict[str, Any]] = json.loads(text)
    return view_of([TransformSpec(**one) for one in told])
