"""Maps of straight lines: one warp shows what one transform after the other does."""

import inspect
import random
from typing import Any

import albumentations as A
import cv2
import numpy as np
import pytest

from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import IGNORE_INDEX, Uint8
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.tasks.segmentation.data.warps import warp
from workers.training.variation.homographies import is_homography, moved

SIDE = 96
ALONE: list[tuple[str, dict[str, Any]]] = [
    ("Affine", {"scale": [0.6, 1.6], "rotate": [-40, 40], "shear": [-10, 10], "p": 1.0}),
    ("Affine", {"translate_percent": [-0.2, 0.2], "p": 1.0}),
    ("Affine", {"translate_px": {"x": [-9, 9], "y": 4}, "scale": {"x": [0.5, 1], "y": 1.2}, "p": 1.0}),
    ("D4", {"p": 1.0}),
    ("HorizontalFlip", {"p": 1.0}),
    ("Perspective", {"scale": [0.05, 0.2], "p": 1.0}),
    ("Perspective", {"scale": 0.1, "fit_output": True, "p": 1.0}),
    ("RandomRotate90", {"p": 1.0}),
    ("Rotate", {"limit": 90, "p": 1.0}),
    ("ShiftScaleRotate", {"p": 1.0}),
    ("Transpose", {"p": 1.0}),
    ("VerticalFlip", {"p": 1.0}),
]
SEVERAL = [ALONE[4], ALONE[0], ALONE[5], ALONE[3], ALONE[10]]


def _scene(side: int = SIDE) -> tuple[Uint8, Uint8]:
    """Soft colours that differ everywhere, and a mask of quarters."""
    y, x = np.mgrid[0:side, 0:side] * (200 / side)
    image = np.stack([40 + x, 40 + y, 140 + 60 * np.sin(x / 30)], axis=2).astype(np.uint8)
    mask = ((x > 90).astype(np.uint8) * 2 + (y > 110)).astype(np.uint8)
    return image, mask


def _one_after_the_other(
    transforms: list[tuple[str, dict[str, Any]]], scene: tuple[Uint8, Uint8], seed: list[int]
) -> tuple[Uint8, Uint8]:
    built = []
    for name, params in transforms:
        kind = getattr(A, name)
        fills = "fill_mask" in inspect.signature(kind.__init__).parameters
        built.append(kind(**params, **({"fill_mask": IGNORE_INDEX} if fills else {})))
    image, mask = scene
    numbers = np.random.default_rng(seed)
    python = random.Random(int(numbers.integers(2**32)))
    for transform in built:
        transform.set_random_state(numbers, python)
        varied = transform(image=image, mask=mask)
        image, mask = varied["image"], varied["mask"]
    return image, mask


def _assert_alike(one: tuple[Uint8, Uint8], other: tuple[Uint8, Uint8], *, masks: float = 0.97) -> None:
    """The same but where rounding, or interpolating once and not twice, tells."""
    assert (one[1] == other[1]).mean() > masks
    inside = cv2.erode(
        ((one[1] < IGNORE_INDEX) & (other[1] < IGNORE_INDEX)).astype(np.uint8), np.ones((5, 5))
    )
    difference = np.abs(one[0].astype(int) - other[0])[inside > 0]
    assert difference.mean() < 1.5


def _augmentation(transforms: list[tuple[str, dict[str, Any]]]) -> Augmentation:
    return Augmentation(
        [TransformSpec(name=name, params=params) for name, params in transforms], IGNORE_INDEX
    )


@pytest.mark.parametrize("transforms", [*([one] for one in ALONE), SEVERAL], ids=str)
def test_one_warp_is_one_transform_after_the_other(transforms: list[tuple[str, dict[str, Any]]]) -> None:
    assert all(is_homography(TransformSpec(name=name, params=params)) for name, params in transforms)
    augmentation, scene = _augmentation(transforms), _scene()
    for seed in range(12):
        _assert_alike(augmentation(*scene, [seed]), _one_after_the_other(transforms, scene, [seed]))


def test_colours_before_a_map_may_come_after_it_and_nothing_else_may() -> None:
    colour: tuple[str, dict[str, Any]] = (
        "RandomBrightnessContrast",
        {"brightness_limit": [0.2, 0.2], "p": 1},
    )
    flip, hole = ALONE[4], ("CoarseDropout", {"hole_height_range": [40, 40], "p": 1.0})
    scene = _scene()
    _assert_alike(_augmentation([colour, flip])(*scene, [1]), _augmentation([flip, colour])(*scene, [1]))
    for place in range(6):
        hidden, turned = (_augmentation(them)(*scene, [place])[0] for them in ([hole], [hole, flip]))
        assert np.array_equal(turned, hidden[:, ::-1])


@pytest.mark.parametrize("own", [{"border_mode": 4}, {"fill": 9}, {"fill_mask": 1}, {"interpolation": 2}])
def test_a_transform_with_edges_of_its_own_stays_as_it_is(own: dict[str, Any]) -> None:
    name, params = ALONE[0]
    assert not is_homography(TransformSpec(name=name, params={**params, **own}))
    varied = _augmentation([(name, {**params, **own})])(*_scene(), [5])
    pipeline = A.Compose([A.Affine(**{"fill_mask": IGNORE_INDEX, **params, **own})])
    numbers = np.random.default_rng([5])
    pipeline.set_random_state(numbers, random.Random(int(numbers.integers(2**32))))
    wanted = pipeline(image=_scene()[0], mask=_scene()[1])
    assert np.array_equal(varied[0], wanted["image"])
    assert np.array_equal(varied[1], wanted["mask"])


@pytest.mark.parametrize("transforms", [[ALONE[0]], SEVERAL, [ALONE[4]], []], ids=len)
def test_a_crop_is_what_the_middle_of_a_larger_one_was(transforms: list[tuple[str, dict[str, Any]]]) -> None:
    """But that the image goes on where the larger one ended."""
    image, mask = _scene(480)
    for seed in range(8):
        corner, size, margin = (200, 190), 64, 16
        crop = _augmentation(transforms).crop(image, mask, corner, size, [seed])
        wide = np.s_[corner[0] - margin : corner[0] + 80, corner[1] - margin : corner[1] + 80]
        varied = _one_after_the_other(transforms, (image[wide], mask[wide]), [seed])
        middle = np.s_[margin : margin + size, margin : margin + size]
        seen = varied[1][middle] != IGNORE_INDEX
        assert seen.mean() > 0.5
        assert (crop[1][seen] == varied[1][middle][seen]).mean() > 0.97
        assert (crop[1] == IGNORE_INDEX).mean() <= (~seen).mean()


def test_what_moves_pixels_otherwise_is_given_a_margin() -> None:
    """Of an elastic transform without it, a crop inside the image would have ignored pixels."""
    elastic: tuple[str, dict[str, Any]] = ("ElasticTransform", {"alpha": 40, "sigma": 6, "p": 1.0})
    image, mask = _scene(480)
    for seed in range(6):
        varied, labels = _augmentation([elastic]).crop(image, mask, (100, 100), 64, [seed])
        assert (varied.shape, labels.shape) == ((64, 64, 3), (64, 64))
        assert (labels != IGNORE_INDEX).all()


def test_an_image_with_sides_that_opencv_does_not_warp_is_seen() -> None:
    image = np.zeros((8, 50_000, 3), np.uint8)
    image[:, 40_000:40_010] = 200
    mask = np.zeros((8, 50_000), np.uint8)
    mask[:, 40_000:40_010] = 1
    near = moved(39_990.5, -4)
    seen, labels = warp(image, mask, near, (16, 32), IGNORE_INDEX)
    assert (labels[6, 11:19] == 1).all()
    assert (seen[6, 11:19] == 200).all()
    assert (labels[0] == IGNORE_INDEX).all()
    whole = np.diag([50_000 / 32, 0.5, 1.0])
    labels = warp(image, mask, whole, (16, 32), IGNORE_INDEX)[1]
    assert (labels == 0).any()


def test_beyond_the_horizon_and_beside_the_image_nothing_breaks() -> None:
    image, mask = _scene()
    horizon = np.array([[1, 0, 0], [0, 1, 0], [0, -1 / 20, 1]], np.float64)
    assert warp(image, mask, horizon, (40, 40), IGNORE_INDEX)[1].shape == (40, 40)
    beside = warp(image, mask, moved(0.5, 500.5), (40, 40), IGNORE_INDEX)
    assert not beside[0].any()
    assert (beside[1] == IGNORE_INDEX).all()
