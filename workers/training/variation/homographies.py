"""Transforms that take straight lines to straight lines, as matrices: however many, they are one warp.

A matrix is 3 x 3 and maps (x, y, 1) of an image, in pixels with (0, 0) in the middle of the first, to where
that pixel moves; the third number of what comes out divides the other two.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainyard.catalog.device_transforms import COLOURS, OWN_EDGES
from trainyard.spec.training_spec import TransformSpec
from workers.training.data.transforms import A

Matrix = NDArray[np.float64]
Size = tuple[int, int]
"""Height and width, in pixels."""


def moved(x: float, y: float) -> Matrix:
    """The map that moves everything by so many pixels."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def is_homography(spec: TransformSpec) -> bool:
    """Whether a transform is a matrix and nothing else, as its parameters have it."""
    return spec.name in _MATRICES and not OWN_EDGES & set(spec.params)


def leading_maps(transforms: Sequence[TransformSpec]) -> list[int]:
    """The places of the maps before which there are other maps and changes of colour alone.

    A map and a change of colours may change places: pixels get the same colours, wherever they lie.
    """
    places: list[int] = []
    for place, spec in enumerate(transforms):
        if is_homography(spec):
            places.append(place)
        elif spec.name not in COLOURS:
            break
    return places


def drawn(transforms: Sequence[Any], size: Size) -> Matrix:
    """One map for all of these transforms of albumentations, drawn for images of that size.

    They draw from the generators that they were given, as they do where each is applied by itself.
    """
    whole = moved(0, 0)
    for transform in transforms:
        if transform.should_apply():
            params = {"shape": (*size, 3), **transform.get_params()}
            params.update(transform.get_params_dependent_on_data(params, {}))
            whole = _MATRICES[type(transform).__name__](params, size) @ whole
    return whole


def _given(params: Mapping[str, Any], _: Size) -> Matrix:
    return np.asarray(params["matrix"], np.float64)


def _perspective(params: Mapping[str, Any], size: Size) -> Matrix:
    """What the drawn corners enclose, brought back to the image's size."""
    stretch = np.diag([size[1] / params["max_width"], size[0] / params["max_height"], 1.0])
    return np.asarray(stretch @ params["matrix"], np.float64)


def _mirrored(_: Mapping[str, Any], size: Size) -> Matrix:
    return np.array([[-1, 0, size[1] - 1], [0, 1, 0], [0, 0, 1]], np.float64)


def _upside_down(_: Mapping[str, Any], size: Size) -> Matrix:
    return np.array([[1, 0, 0], [0, -1, size[0] - 1], [0, 0, 1]], np.float64)


def _transposed(_: Mapping[str, Any], __: Size) -> Matrix:
    return np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]], np.float64)


def _quarter_turns(params: Mapping[str, Any], size: Size) -> Matrix:
    """Counterclockwise, of a square."""
    quarter = np.array([[0, 1, 0], [-1, 0, size[1] - 1], [0, 0, 1]], np.float64)
    return np.linalg.matrix_power(quarter, params["factor"])


def _symmetry(params: Mapping[str, Any], size: Size) -> Matrix:
    """One of the eight of a square."""
    element = params["group_element"]
    if element.startswith("r"):
        return _quarter_turns({"factor": int(element[1:]) // 90}, size)
    by_name: dict[str, Matrix] = {
        "e": moved(0, 0),
        "v": _upside_down({}, size),
        "h": _mirrored({}, size),
        "t": _transposed({}, size),
        "hvt": _transposed({}, size) @ _quarter_turns({"factor": 2}, size),
    }
    return by_name[element]


_MATRICES: Mapping[str, Callable[[Mapping[str, Any], Size], Matrix]] = {
    A.Affine.__name__: _given,
    A.D4.__name__: _symmetry,
    A.HorizontalFlip.__name__: _mirrored,
    A.Perspective.__name__: _perspective,
    A.RandomRotate90.__name__: _quarter_turns,
    A.Rotate.__name__: _given,
    A.ShiftScaleRotate.__name__: _given,
    A.Transpose.__name__: _transposed,
    A.VerticalFlip.__name__: _upside_down,
}
