"""Fields of a spec: their range, unit and help go into the schema, OpenAPI and forms that are made of it."""

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

from marshmallow import ValidationError, fields, validate

from trainyard.plugins.offers import LONGEST_NAME, NAME_PATTERN, is_offered_name

AUTO = "auto"
"""In place of a number that the worker is to find."""


def number(minimum: float, maximum: float, unit: str, help: str) -> Any:
    """A required number within [minimum, maximum]."""
    return described(help, validate.Range(min=minimum, max=maximum), unit=unit)


def whole(minimum: int, maximum: int, unit: str, help: str) -> Any:
    """A required whole number within [minimum, maximum]; 8.5 is refused, not cut to 8."""
    made = number(minimum, maximum, unit, help)
    return field(metadata={**made.metadata, "strict": True})


def whole_or_none(minimum: int, maximum: int, unit: str, help: str) -> Any:
    """A whole number within [minimum, maximum], or null."""
    made = whole(minimum, maximum, unit, help)
    return field(metadata={**made.metadata, "allow_none": True})


class _WholeOrAuto(fields.Field[int | str]):
    """A whole number within a range, or AUTO."""

    def __init__(self, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(**options)
        within = validate.Range(min=minimum, max=maximum, error="Must be `auto`, or from {min} to {max}.")
        self._number = fields.Integer(strict=True, validate=within)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | str:
        return AUTO if value == AUTO else self._number.deserialize(value, attr, data, **kwargs)


def whole_or_auto(minimum: int, maximum: int, unit: str, help: str) -> Any:
    """A required whole number within [minimum, maximum], or AUTO."""
    accepted = [
        {"type": "integer", "minimum": minimum, "maximum": maximum},
        {"type": "string", "enum": [AUTO]},
    ]
    metadata = {"description": help, "unit": unit, "oneOf": accepted}
    return field(
        metadata={"marshmallow_field": _WholeOrAuto(minimum, maximum, required=True, metadata=metadata)}
    )


class WholeOrList(fields.Field[int | list[int]]):
    """A whole number within a range, or a list of different places that many things of that number have."""

    def __init__(self, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(**options)
        self._minimum, self._maximum = minimum, maximum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | list[int]:
        given = value if isinstance(value, list) else [value]
        low, high = (0, self._maximum - 1) if isinstance(value, list) else (self._minimum, self._maximum)
        are_whole = all(isinstance(one, int) and not isinstance(one, bool) for one in given)
        if given and are_whole and len({*given}) == len(given) and all(low <= one <= high for one in given):
            return list(given) if isinstance(value, list) else given[0]
        raise ValidationError(
            f"Must be a whole number from {self._minimum} to {self._maximum}, or a list of different ones "
            f"from 0 to {self._maximum - 1}."
        )


def whole_or_list(minimum: int, maximum: int, unit: str, help: str) -> Any:
    """A required whole number within [minimum, maximum], or a list of places from 0 to maximum - 1."""
    place = {"type": "integer", "minimum": 0, "maximum": maximum - 1}
    accepted = [
        {"type": "integer", "minimum": minimum, "maximum": maximum},
        {"type": "array", "items": place, "minItems": 1, "uniqueItems": True},
    ]
    metadata = {"description": help, "unit": unit, "oneOf": accepted}
    return field(
        metadata={"marshmallow_field": WholeOrList(minimum, maximum, required=True, metadata=metadata)}
    )


class _Listed(validate.OneOf):
    """A name of a list as it is at the moment: tasks may be added."""

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names
        super().__init__((), error="Must be one of: {choices}.")

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self._names())

    @choices.setter
    def choices(self, given: object) -> None:
        """What the class sets once is not kept."""

    @property
    def choices_text(self) -> str:
        return ", ".join(self.choices)

    @choices_text.setter
    def choices_text(self, given: object) -> None:
        """Likewise."""


class ListedOrOffered(validate.Validator):
    """A name of a list, or one that a plug-in may offer: whether a worker does is known at submission."""

    def __init__(self, names: Callable[[], Iterable[str]], prefix: str = "") -> None:
        """`prefix` goes before the names of plug-ins."""
        self.listed = _Listed(names)
        self._prefix = prefix

    def __call__(self, value: str) -> str:
        name = value.removeprefix(self._prefix)
        if value.startswith(self._prefix) and is_offered_name(name):
            return value
        return str(self.listed(value))

    def forms(self) -> list[dict[str, Any]]:
        """The same for OpenAPI."""
        pattern = NAME_PATTERN.replace("^", f"^{self._prefix}", 1)
        longest = LONGEST_NAME + len(self._prefix)
        offered = {"type": "string", "pattern": pattern, "maxLength": longest}
        return [{"type": "string", "enum": [*self.listed.choices]}, offered]


class _Choice(fields.String):
    """A name out of a list; one that looks like a number may come as that, as `--set precision=32` does."""

    def __init__(self, rule: _Listed | ListedOrOffered, **options: Any) -> None:
        self._listed = rule if isinstance(rule, _Listed) else rule.listed
        super().__init__(validate=rule, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ValidationError(self._listed.error.format(choices=self._listed.choices_text))
        return super()._deserialize(value, attr, data, **kwargs)


def choice(names: Iterable[str] | Callable[[], Iterable[str]], help: str) -> Any:
    """A required name out of a list, or of the list that a function gives whenever it is looked at."""
    made = _Choice(_Listed(_looked_up(names)), required=True, metadata={"description": help})
    return field(metadata={"marshmallow_field": made})


def choice_or_offer(names: Iterable[str] | Callable[[], Iterable[str]], help: str, prefix: str = "") -> Any:
    """As `choice`, or a name that a plug-in offers, behind the prefix."""
    rule = ListedOrOffered(_looked_up(names), prefix)
    metadata = {"description": help, "anyOf": rule.forms()}
    return field(metadata={"marshmallow_field": _Choice(rule, required=True, metadata=metadata)})


def _looked_up(names: Iterable[str] | Callable[[], Iterable[str]]) -> Callable[[], Iterable[str]]:
    return names if callable(names) else tuple(names).__iter__


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
