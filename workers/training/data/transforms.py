"""Transforms of albumentations as a spec names them."""

import inspect
import os
from collections.abc import Mapping
from typing import Any

# albumentations asks the network for its newest version when it is imported, unless told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A

from trainyard.errors import InvalidRequest
from trainyard.spec.training_spec import TransformSpec

__all__ = ("A", "build_transform")  # whoever takes the library from here has it after the line above


def build_transform(place: int, spec: TransformSpec, defaults: Mapping[str, Any]) -> A.BasicTransform:
    """The transform at that place of the list, with what it takes of `defaults` and the spec leaves out.

    Raises InvalidRequest for parameters that it does not take.
    """
    kind = getattr(A, spec.name)
    accepted = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
    unknown = sorted(set(spec.params) - set(accepted))
    if unknown:
        raise _refusal(place, f"{spec.name} takes no {', '.join(unknown)}; it takes: {', '.join(accepted)}")
    filled = {name: value for name, value in defaults.items() if name in accepted}
    try:
        return kind(**{**filled, **spec.params})
    except (TypeError, ValueError) as error:
        raise _refusal(place, f"{spec.name}: {error}") from error


def _refusal(place: int, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"spec.augmentation.transforms[{place}] cannot be built: {problem}.",
        errors={"spec": {"augmentation": {"transforms": {str(place): {"params": [problem]}}}}},
    )
