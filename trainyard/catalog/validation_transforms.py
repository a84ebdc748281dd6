"""Transforms that images are seen through after training: each image becomes the same at any time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainyard.catalog.transform_checks import check_transforms, transform_refusal
from trainyard.errors import InvalidRequest

if TYPE_CHECKING:
    from trainyard.spec.training_spec import TransformSpec

FIELD = "validation"
RANGES: dict[str, tuple[str, ...]] = {
    "Blur": ("blur_limit",),
    "CLAHE": ("clip_limit",),
    "GaussianBlur": ("blur_limit", "sigma_limit"),
    "HueSaturationValue": ("hue_shift_limit", "sat_shift_limit", "val_shift_limit"),
    "ImageCompression": ("quality_range",),
    "RandomBrightnessContrast": ("brightness_limit", "contrast_limit"),
    "RandomGamma": ("gamma_limit",),
    "Sharpen": ("alpha", "lightness"),
    "ToGray": (),
}
"""Those of albumentations that change colours alone, with the parameters by which they draw: each is given as
a range of one number."""


def check_validation(transforms: Sequence["TransformSpec"]) -> None:
    """Raise InvalidRequest, naming the parameter, for the first that is not the same each time."""
    for place, transform in enumerate(transforms):
        if transform.name not in RANGES:
            raise InvalidRequest(
                f"augmentation.{FIELD}[{place}] cannot be {transform.name}: it moves pixels, or draws.",
                errors={
                    "spec": {
                        "augmentation": {FIELD: {str(place): {"name": [f"one of: {', '.join(RANGES)}"]}}}
                    }
                },
            )
    check_transforms(transforms, FIELD)
    for place, transform in enumerate(transforms):
        if transform.params.get("p") != 1:
            raise transform_refusal(FIELD, place, "p", "must be given as 1: every image is seen alike")
        for name in RANGES[transform.name]:
            given = transform.params.get(name)
            if not isinstance(given, list | tuple) or given[0] != given[1]:
                raise transform_refusal(FIELD, place, name, "must be given as one number twice, as [4, 4]")
