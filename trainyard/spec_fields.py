"""Fields of a spec: their range, unit and help go into the schema, OpenAPI and forms that are made of it."""

from dataclasses import field
from typing import Any

from marshmallow import validate


def number(minimum: float, maximum: float, unit: str, help: str) -> Any:
    """A required number within [minimum, maximum]."""
    return described(help, validate.Range(min=minimum, max=maximum), unit=unit)


def whole(minimum: int, maximum: int, unit: str, help: str) -> Any:
    """A required whole number within [minimum, maximum]; 8.5 is refused, not cut to 8."""
    made = number(minimum, maximum, unit, help)
    return field(metadata={**made.metadata, "strict": True})


def choice(names: tuple[str, ...], help: str) -> Any:
    """A required name out of a list."""
    return described(help, validate.OneOf(names, error="Must be one of: {choices}."))


def described(help: str, validator: Any = None, **extra: str) -> Any:
    """A required field that only the type and `validator` limit."""
    return field(metadata={"validate": validator, "metadata": {"description": help, **extra}})


def share(help: str) -> Any:
    """A number in (0, 1), or null for none."""
    return field(
        metadata={
            "allow_none": True,
            "validate": validate.Range(min=0, max=1, min_inclusive=False, max_inclusive=False),
            "metadata": {"description": help},
        }
    )
