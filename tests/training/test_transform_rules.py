"""What the catalogue says of transforms is what albumentations does: accepted here, it runs there."""

import inspect
from typing import Any

import albumentations
import numpy as np
import pytest

from trainyard.catalog.transform_checks import check_holes, check_transforms
from trainyard.catalog.transforms import FILL_MASK, PARAMETERS
from trainyard.errors import InvalidRequest
from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.data.augmentation import Augmentation

SIDE = 64
COMBINATIONS = 40

EACH = [
    (transform, parameter, example)
    for transform, rules in PARAMETERS.items()
    for parameter, rule in rules.items()
    for example in rule.examples
]


def is_accepted(transform: TransformSpec) -> bool:
    try:
        check_transforms([transform])
        check_holes([transform], SIDE)
    except InvalidRequest:
        return False
    return True


def runs(transform: TransformSpec) -> None:
    """Shape, kind and classes stay."""
    augmentation = Augmentation([transform], IGNORE_INDEX)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[: SIDE // 2] = 2
    filled = transform.params.get(FILL_MASK)
    for seed in range(3):
        image = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        varied, labels = augmentation(image, mask, [seed])
        assert (varied.shape, varied.dtype) == (image.shape, np.uint8)
        assert labels.shape == mask.shape
        assert set(np.unique(labels)) <= {0, 2, IGNORE_INDEX, filled}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_of_the_library_is_judged(name: str) -> None:
    of_library = set(inspect.signature(getattr(albumentations, name).__init__).parameters) - {"self", "p"}
    assert set(PARAMETERS[name]) == of_library


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("name", "parameter", "value"), EACH)
def test_the_ends_of_every_range_run(name: str, parameter: str, value: Any) -> None:
    params = {"p": 1.0, parameter: value}
    if parameter.startswith("hole_"):
        params = {"p": 1.0, "hole_height_range": value, "hole_width_range": value}
    transform = TransformSpec(name=name, params=params)
    assert PARAMETERS[name][parameter].accepts(value)
    if is_accepted(transform):
        runs(transform)
    else:
        assert value == [4096, 4096], "only holes larger than the image are no good by themselves"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_run_together(name: str) -> None:
    numbers = np.random.default_rng(0)
    tried = 0
    for _ in range(COMBINATIONS):
        params: dict[str, Any] = {"p": 1.0}
        for parameter, rule in PARAMETERS[name].items():
            if numbers.random() < 0.6:
                params[parameter] = rule.examples[numbers.integers(len(rule.examples))]
        transform = TransformSpec(name=name, params=params)
        if is_accepted(transform):
            runs(transform)
            tried += 1
    assert tried > COMBINATIONS / 5
