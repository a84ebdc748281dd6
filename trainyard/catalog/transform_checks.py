"""Whether the transforms of a spec can be used: with their own rules, image size and classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainyard.catalog.transform_rules import in_pixels
from trainyard.catalog.transforms import CHANCE, FILL_MASK, HOLES, IGNORED, PARAMETERS
from trainyard.errors import InvalidRequest

if TYPE_CHECKING:
    from trainyard.spec.training_spec import TransformSpec

FIELD = "transforms"
_USUAL_HOLE = [0.1, 0.2]


def check_transforms(transforms: Sequence["TransformSpec"], field: str = FIELD) -> None:
    """Raise InvalidRequest, naming the parameter and what it may be, for the first that cannot be used; they
    are those of that field of `augmentation`."""
    for place, transform in enumerate(transforms):
        rules = {**PARAMETERS[transform.name], "p": CHANCE}
        for name, value in transform.params.items():
            if name not in rules:
                accepted = ", ".join(sorted(rules))
                raise transform_refusal(
                    field, place, name, f"is no parameter of {transform.name}, which takes: {accepted}"
                )
            if not rules[name].accepts(value):
                raise transform_refusal(field, place, name, f"must be {rules[name].says}")
        _check_together(field, place, transform)


def check_holes(transforms: list["TransformSpec"], image_size: int) -> None:
    """Raise InvalidRequest, naming the parameter, where holes are larger than images of that height and
    width, in pixels."""
    for place, transform in enumerate(transforms):
        if transform.name == HOLES:
            _check_holes(place, transform, image_size)


def check_mask_fill(transforms: list["TransformSpec"], classes: int, *, multilabel: bool) -> None:
    """Raise InvalidRequest where a transform would fill masks with a value that no class of the set has."""
    end = 1 << classes if multilabel else classes
    for place, transform in enumerate(transforms):
        value = transform.params.get(FILL_MASK)
        if value is None or value < end or (value == IGNORED and not multilabel):
            continue
        also = "" if multilabel else f", or {IGNORED} for pixels that do not count"
        raise transform_refusal(
            FIELD, place, FILL_MASK, f"must be from 0 to {end - 1}, what masks of this set hold{also}"
        )


def _check_together(field: str, place: int, transform: "TransformSpec") -> None:
    given = transform.params
    if given.get("translate_px") is not None and given.get("translate_percent") is not None:
        raise transform_refusal(
            field, place, "translate_px", "goes without translate_percent: give one of the two"
        )
    scale = given.get("scale")
    if given.get("keep_ratio") and isinstance(scale, dict) and scale.get("x", 1) != scale.get("y", 1):
        raise transform_refusal(
            field, place, "scale", "must be the same for x and y where keep_ratio is true"
        )


def _check_holes(place: int, transform: "TransformSpec", image_size: int) -> None:
    height = transform.params.get("hole_height_range", _USUAL_HOLE)
    width = transform.params.get("hole_width_range", _USUAL_HOLE)
    if in_pixels(height) != in_pixels(width):
        raise transform_refusal(
            FIELD, place, "hole_width_range", "and hole_height_range must be both shares or both pixels"
        )
    for name, extent in (("hole_height_range", height), ("hole_width_range", width)):
        if in_pixels(extent) and extent[1] > image_size:
            raise transform_refusal(
                FIELD, place, name, f"must be at most {image_size} pixels, the images' own size"
            )


def transform_refusal(field: str, place: int, parameter: str, problem: str) -> InvalidRequest:
    """That a transform of that field of `augmentation` cannot be used as it is."""
    return InvalidRequest(
        f"spec.augmentation.{field}[{place}] cannot be used: {parameter} {problem}.",
        errors={"spec": {"augmentation": {field: {str(place): {"params": {parameter: [problem]}}}}}},
    )
