"""Transforms that are also computed on the device that trains (`augmentation.device: training`).

There all that moves pixels is one map, drawn before anything else is done; then come changes of what the
pixels are.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainyard.catalog.transform_checks import FIELD, transform_refusal
from trainyard.catalog.transforms import HOLES
from trainyard.errors import InvalidRequest

if TYPE_CHECKING:
    from trainyard.spec.training_spec import TransformSpec

OWN_EDGES = frozenset({"interpolation", "border_mode", "fill", "fill_mask"})
"""Parameters of how one transform resamples, which a map that stands for several cannot follow."""
MAPS = frozenset(
    {
        "Affine", "D4", "HorizontalFlip", "Perspective", "RandomRotate90", "Rotate", "ShiftScaleRotate",
        "Transpose", "VerticalFlip",
    }
)  # fmt: skip
"""Transforms that take straight lines to straight lines."""
COLOURS = frozenset(
    {
        "ColorJitter", "HueSaturationValue", "RandomBrightnessContrast", "RandomGamma", "RandomToneCurve",
        "ToGray",
    }
)  # fmt: skip
"""Transforms that give each pixel a colour by its own, or by that and the mean of all: a map may change
places with them."""
_CHANGES = frozenset({*COLOURS - {"RandomToneCurve"}, "GaussianBlur", "GaussNoise", HOLES})
_ONLY: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "CoarseDropout": {"fill_mask": (None,)},
    "GaussNoise": {"noise_scale_factor": (1,)},
    "RandomBrightnessContrast": {"brightness_by_max": (True,), "ensure_safe_range": (False,)},
    "ToGray": {"method": ("weighted_average",)},
}
"""Parameters that have some values alone there."""
_SIGMA = 3.0
"""The widest blur where none is given, in pixels."""
_REACH = 3.5
"""How many sigmas a kernel reaches that is as wide as its sigma asks for."""


def check_device_form(transforms: Sequence["TransformSpec"], image_size: int) -> None:
    """Raise InvalidRequest, naming it, for the first transform that the device cannot do to images of that
    height and width, in pixels."""
    only_colours = True
    for place, transform in enumerate(transforms):
        if transform.name not in MAPS | _CHANGES:
            known = ", ".join(sorted(MAPS | _CHANGES))
            raise _refusal(place, transform.name, "is computed on the CPU alone", f"one of: {known}")
        if transform.name in MAPS:
            _check_map(place, transform, moves_first=only_colours)
        else:
            only_colours = only_colours and transform.name in COLOURS
            _check_change(place, transform, image_size)


def _check_map(place: int, transform: "TransformSpec", *, moves_first: bool) -> None:
    if not moves_first:
        raise _refusal(
            place,
            transform.name,
            "moves pixels after a blur, noise or holes, which the device does in the other order",
            "before GaussianBlur, GaussNoise and CoarseDropout",
        )
    if own := sorted(OWN_EDGES & transform.params.keys()):
        raise _parameter(place, own[0], "is left out: all maps are one, with linear pixels and black edges")


def _check_change(place: int, transform: "TransformSpec", image_size: int) -> None:
    for name, accepted in _ONLY.get(transform.name, {}).items():
        if transform.params.get(name, accepted[0]) not in accepted:
            raise _parameter(place, name, f"must be {str(accepted[0]).lower()}, or left out")
    if transform.name == HOLES and isinstance(transform.params.get("fill"), str):
        raise _parameter(place, "fill", "must be a number from 0 to 255, or three of them")
    if transform.name == "GaussianBlur" and (widest := _widest(transform)) >= 2 * image_size:
        raise _parameter(
            place,
            "blur_limit",
            f"must be below {2 * image_size}, twice the images' size: kernels have up to {widest} pixels",
        )


def _widest(transform: "TransformSpec") -> int:
    """Pixels of the widest kernel that may be drawn."""
    limits, sigmas = (
        list(given) if isinstance(given, list | tuple) else [given]
        for given in (transform.params.get("blur_limit", 0), transform.params.get("sigma_limit", _SIGMA))
    )
    by_sigma = 2 * int(_REACH * max(sigmas)) + 1 if min(limits) == 0 or len(limits) == 1 else 0
    return max([by_sigma, *map(int, limits)])


def _parameter(place: int, name: str, problem: str) -> InvalidRequest:
    refusal = transform_refusal(FIELD, place, name, f"{problem}, where augmentation.device is training")
    refusal.remedy = "Change it, or set augmentation.device to cpu."
    return refusal


def _refusal(place: int, name: str, problem: str, accepted: str) -> InvalidRequest:
    return InvalidRequest(
        f"augmentation.transforms[{place}] cannot be {name}, which {problem} "
        "(augmentation.device is training).",
        remedy="Leave it out, or set augmentation.device to cpu.",
        errors={"spec": {"augmentation": {FIELD: {str(place): {"name": [accepted]}}}}},
    )
