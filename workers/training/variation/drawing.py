"""What the transforms of a spec draw for one image, which is varied elsewhere: on the device that trains.

albumentations draws, as it does where it varies images itself, from the seed of an epoch and an image. So an
image becomes the same whatever batch it comes in, on whichever device of a run, before and after a resume.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from trainyard.spec.training_spec import TransformSpec
from workers.training.data.transforms import A, build_transform
from workers.training.variation.homographies import Matrix, Size, drawn, leading_maps, moved

_PIXEL = np.zeros((1, 1, 3), np.uint8)
"""Stands for the image where only its type is asked for."""
_REACH = 3.5
"""How many sigmas a kernel reaches that is as wide as its sigma asks for."""


class Change(NamedTuple):
    """What a transform does to the pixels of one image: its name, and what it drew."""

    name: str
    drawn: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """Where each pixel of the varied image lies in the image (`source`), and what is then done to pixels."""

    source: Matrix
    changes: tuple[Change, ...]

    @property
    def moves(self) -> bool:
        """Whether pixels change their places."""
        return not np.array_equal(self.source, moved(0, 0))


class Draws:
    """The draws of a spec's transforms, which are those that devices know: first maps, then changes.

    Raises InvalidRequest for parameters that a transform does not take.
    """

    def __init__(self, transforms: Sequence[TransformSpec]) -> None:
        built = [build_transform(place, spec, {}) for place, spec in enumerate(transforms)]
        places = leading_maps(transforms)
        self.maps = bool(places)
        """Whether anything moves pixels."""
        self._maps = A.Compose([built[place] for place in places])
        self._others = A.Compose([one for place, one in enumerate(built) if place not in places])

    def __call__(self, drawn_for: Size, changed: Size, seed: list[int]) -> Drawn:
        """What is drawn with that seed: a map for images of the first height and width, in pixels, changes
        for images of the second. `source` undoes the map."""
        numbers = np.random.default_rng(seed)
        python = random.Random(int(numbers.integers(2**32)))  # noqa: S311
        for pipeline in (self._maps, self._others):
            pipeline.set_random_state(numbers, python)
        source = moved(0, 0)
        if self.maps:
            source = np.asarray(np.linalg.inv(drawn(self._maps.transforms, drawn_for)), np.float64)
        python.random()  # as the library does, to know whether a pipeline is used at all
        changes = [
            Change(type(one).__name__, _DRAWS.get(type(one).__name__, _of_library)(one, changed))
            for one in self._others.transforms
            if one.should_apply()
        ]
        return Drawn(source=source, changes=tuple(changes))


def _of_library(transform: Any, size: Size) -> dict[str, Any]:
    shape = {"shape": (*size, 3)}
    params = {**shape, **transform.get_params()}
    params.update(transform.get_params_dependent_on_data(params, {"image": _PIXEL}))
    params.pop("shape", None)
    return params


def _holes(transform: Any, size: Size) -> dict[str, Any]:
    fill = np.broadcast_to(np.asarray(transform.fill, np.float64), 3).tolist()
    return {"holes": _of_library(transform, size)["holes"].tolist(), "fill": fill}


def _blur(transform: Any, _: Size) -> dict[str, Any]:
    """As the library draws it, which makes a kernel of it."""
    sigma = transform.py_random.uniform(*transform.sigma_limit)
    pixels = transform.py_random.randint(*transform.blur_limit) or 2 * int(_REACH * sigma) + 1
    return {"sigma": sigma, "pixels": pixels + (pixels % 2 == 0)}


def _noise(transform: Any, _: Size) -> dict[str, Any]:
    """As the library draws it, but for the noise of each pixel: that is drawn where it is added."""
    return {
        "sigma": transform.py_random.uniform(*transform.std_range),
        "mean": transform.py_random.uniform(*transform.mean_range),
        "per_channel": transform.per_channel,
        "seed": int(transform.random_generator.integers(2**62)),
    }


_DRAWS: Mapping[str, Callable[[Any, Size], dict[str, Any]]] = {
    A.CoarseDropout.__name__: _holes,
    A.GaussianBlur.__name__: _blur,
    A.GaussNoise.__name__: _noise,
}
