"""What `augmentation.device: training` takes, and that everything else is refused by its name."""

from typing import Any

import pytest

from trainyard.catalog.device_transforms import MAPS
from trainyard.catalog.transforms import PARAMETERS
from trainyard.errors import InvalidRequest
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.spec.stored import read_spec
from workers.training.variation.changes import is_known

EXPERIMENTS = Experiments(Settings().configs)


def asked(transforms: list[tuple[str, dict[str, Any]]], device: str = "training", **over: Any) -> Any:
    listed = [{"name": name, "params": params} for name, params in transforms]
    augmentation = {"preset": "custom", "transforms": listed, "device": device}
    return EXPERIMENTS.compose({"augmentation": augmentation, **over})


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_transform_is_taken_if_the_device_has_it_and_refused_by_name_if_not(name: str) -> None:
    asked([(name, {})], "cpu")
    if name in MAPS or is_known(name):
        assert asked([(name, {})]).augmentation.device == "training"
        return
    with pytest.raises(InvalidRequest, match=name) as refused:
        asked([("HorizontalFlip", {}), (name, {})])
    places = refused.value.errors["spec"]["augmentation"]["transforms"]
    assert list(places) == ["1"]
    assert "GaussianBlur" in places["1"]["name"][0]


@pytest.mark.parametrize(
    ("name", "params", "field"),
    [
        ("Affine", {"border_mode": 4}, "border_mode"),
        ("Rotate", {"interpolation": 2}, "interpolation"),
        ("Perspective", {"fill_mask": 1}, "fill_mask"),
        ("RandomBrightnessContrast", {"brightness_by_max": False}, "brightness_by_max"),
        ("RandomBrightnessContrast", {"ensure_safe_range": True}, "ensure_safe_range"),
        ("ToGray", {"method": "pca"}, "method"),
        ("GaussNoise", {"noise_scale_factor": 0.5}, "noise_scale_factor"),
        ("CoarseDropout", {"fill_mask": 0}, "fill_mask"),
        ("CoarseDropout", {"fill": "random"}, "fill"),
        ("GaussianBlur", {"blur_limit": [3, 129]}, "blur_limit"),
        ("GaussianBlur", {"sigma_limit": 20.0}, "blur_limit"),
    ],
)
def test_parameters_that_only_the_cpu_has_are_refused(name: str, params: dict[str, Any], field: str) -> None:
    small = {"image_size": 64}
    asked([(name, params)], "cpu", data=small)
    with pytest.raises(InvalidRequest) as refused:
        asked([(name, params)], data=small)
    assert list(refused.value.errors["spec"]["augmentation"]["transforms"]["0"]["params"]) == [field]


def test_what_moves_pixels_comes_first() -> None:
    asked([("RandomGamma", {}), ("HorizontalFlip", {}), ("GaussianBlur", {})])
    for before in ("GaussianBlur", "GaussNoise", "CoarseDropout"):
        with pytest.raises(InvalidRequest, match="HorizontalFlip, which moves pixels after"):
            asked([(before, {}), ("HorizontalFlip", {})])


def test_holes_of_detection_are_refused() -> None:
    """What they hide is left out of its boxes, which the host must know."""
    detection = {"task": "detection"}
    asked([("HorizontalFlip", {})], **detection)
    asked([("CoarseDropout", {})], "cpu", **detection)
    with pytest.raises(InvalidRequest, match="CoarseDropout: detection"):
        asked([("CoarseDropout", {})], **detection)


@pytest.mark.parametrize(
    ("preset", "stays"), [("none", True), ("light", True), ("medium", True), ("strong", False)]
)
def test_presets_but_the_strongest_are_done_there(preset: str, stays: bool) -> None:
    over = {"augmentation": {"preset": preset, "device": "training"}}
    if stays:
        assert EXPERIMENTS.compose(over).version == 7
        return
    with pytest.raises(InvalidRequest, match="ImageCompression, which is computed on the CPU alone"):
        EXPERIMENTS.compose(over)


def test_specs_from_before_it_are_varied_on_the_cpu() -> None:
    stored = EXPERIMENTS.compose({}).to_dict()
    assert stored["version"] < 7
    del stored["augmentation"]["device"]
    assert read_spec(stored).augmentation.device == "cpu"
    with pytest.raises(InvalidRequest) as refused:
        EXPERIMENTS.compose({"augmentation": {"device": "gpu"}})
    assert refused.value.errors["spec"]["augmentation"]["device"] == ["Must be one of: cpu, training."]
