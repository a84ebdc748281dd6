"""Transforms are judged when a run is submitted, each refusal by the name of the parameter."""

from typing import Any

import pytest

from trainyard.errors import InvalidRequest
from trainyard.settings import Settings
from trainyard.spec.checks import check_classes
from trainyard.spec.experiments import Experiments

CONFIGS = Settings().configs
NAN = float("nan")


def compose(name: str, params: dict[str, Any], **more: Any) -> Any:
    spec = {"augmentation": {"transforms": [{"name": name, "params": params}]}, **more}
    return Experiments(CONFIGS).compose(spec)


@pytest.mark.parametrize(
    ("name", "params", "field"),
    [
        ("HorizontalFlip", {"p": 2}, "p"),
        ("HorizontalFlip", {"p": -0.1}, "p"),
        ("HorizontalFlip", {"p": "0.5"}, "p"),
        ("HorizontalFlip", {"p": True}, "p"),
        ("HorizontalFlip", {"p": NAN}, "p"),
        ("HorizontalFlip", {"p": None}, "p"),
        ("HorizontalFlip", {"P": 0.5}, "P"),
        ("HorizontalFlip", {"always_apply": True}, "always_apply"),
        ("HorizontalFlip", {"strict": True}, "strict"),
        ("CoarseDropout", {"fill_mask": 256}, "fill_mask"),
        ("CoarseDropout", {"fill_mask": 0.5}, "fill_mask"),
        ("CoarseDropout", {"fill_mask": [1, 2, 3]}, "fill_mask"),
        ("CoarseDropout", {"hole_height_range": [8, 16]}, "hole_width_range"),
        ("CoarseDropout", {"hole_height_range": [0.5, 3.0]}, "hole_height_range"),
        ("CoarseDropout", {"hole_height_range": [8, 999], "hole_width_range": [8, 16]}, "hole_height_range"),
        ("CoarseDropout", {"num_holes_range": [3, 1]}, "num_holes_range"),
        ("CoarseDropout", {"num_holes_range": [1, 10**9]}, "num_holes_range"),
        ("Perspective", {"keep_size": False}, "keep_size"),
        ("Perspective", {"scale": [-0.1, 0.1]}, "scale"),
        ("Affine", {"fit_output": True}, "fit_output"),
        ("Affine", {"mask_interpolation": 1}, "mask_interpolation"),
        ("Affine", {"mask_interpolation": False}, "mask_interpolation"),
        ("Affine", {"scale": 0}, "scale"),
        ("Affine", {"scale": {"z": 1}}, "scale"),
        ("Affine", {"scale": {}}, "scale"),
        ("Affine", {"scale": [0.5, 1, 2]}, "scale"),
        ("Affine", {"scale": {"x": 0.5, "y": 1}, "keep_ratio": True}, "scale"),
        ("Affine", {"translate_px": 3, "translate_percent": 0.1}, "translate_px"),
        ("Affine", {"translate_px": 1.5}, "translate_px"),
        ("Affine", {"rotate_method": "circle"}, "rotate_method"),
        ("Affine", {"border_mode": 7}, "border_mode"),
        ("Affine", {"fill": [1, 2]}, "fill"),
        ("Rotate", {"crop_border": True}, "crop_border"),
        ("Rotate", {"mask_interpolation": 2}, "mask_interpolation"),
        ("ElasticTransform", {"sigma": 0}, "sigma"),
        ("ElasticTransform", {"mask_interpolation": 4}, "mask_interpolation"),
        ("GridDistortion", {"num_steps": 0}, "num_steps"),
        ("OpticalDistortion", {"mask_interpolation": 1}, "mask_interpolation"),
        ("ShiftScaleRotate", {"mask_interpolation": 3}, "mask_interpolation"),
        ("ToGray", {"num_output_channels": 1}, "num_output_channels"),
        ("Blur", {"blur_limit": 4}, "blur_limit"),
        ("GaussNoise", {"std_range": 0.2}, "std_range"),
        ("GaussNoise", {"var_limit": [10, 50]}, "var_limit"),
        ("ColorJitter", {"hue": 0.9}, "hue"),
        ("ImageCompression", {"quality_range": [0, 50]}, "quality_range"),
        ("RandomShadow", {"shadow_roi": [0.5, 0, 0.1, 1]}, "shadow_roi"),
        ("RandomGamma", {"gamma_limit": "80"}, "gamma_limit"),
    ],
)
def test_what_no_worker_could_use_is_refused_by_name(name: str, params: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        compose(name, params)
    places = caught.value.errors["spec"]["augmentation"]["transforms"]
    assert list(places) == ["0"]
    assert list(places["0"]["params"]) == [field]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("Affine", {"rotate": [30, 30], "p": 1, "mask_interpolation": 0, "fill_mask": 0}),
        ("Affine", {"scale": {"x": [0.9, 1.1], "y": 1}, "translate_percent": {"x": 0.1}}),
        ("CoarseDropout", {"hole_height_range": [8, 16], "hole_width_range": [8, 16], "fill": "random"}),
        ("CoarseDropout", {"fill_mask": None}),
        ("Perspective", {"keep_size": True, "fit_output": True}),
        ("GaussianBlur", {"blur_limit": 0, "sigma_limit": [0.1, 2]}),
        ("D4", {}),
    ],
)
def test_what_can_be_used_is_accepted(name: str, params: dict[str, Any]) -> None:
    assert compose(name, params).augmentation.transforms[0].params == params


def test_the_place_of_a_transform_is_named() -> None:
    transforms = [{"name": "D4", "params": {}}, {"name": "Rotate", "params": {"limit": "far"}}]
    with pytest.raises(InvalidRequest) as caught:
        Experiments(CONFIGS).compose({"augmentation": {"transforms": transforms}})
    assert list(caught.value.errors["spec"]["augmentation"]["transforms"]) == ["1"]


@pytest.mark.parametrize("value", [0, 2, 255])
def test_masks_are_filled_with_what_the_set_has(value: int) -> None:
    check_classes(compose("Rotate", {"fill_mask": value}), 3, "multiclass")


@pytest.mark.parametrize("name", ["CoarseDropout", "Affine"])
def test_masks_are_filled_with_nothing_else(name: str) -> None:
    with pytest.raises(InvalidRequest, match="from 0 to 2"):
        check_classes(compose(name, {"fill_mask": 9}), 3, "multiclass")
    several = compose(
        name,
        {"fill_mask": 9},
        model={"task": "multilabel"},
        optimization={"losses": [{"name": "bce", "weight": 1.0, "params": {}}]},
    )
    check_classes(several, 4, "multilabel")
    with pytest.raises(InvalidRequest, match="from 0 to 7"):
        check_classes(several, 3, "multilabel")
