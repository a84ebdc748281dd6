"""Which mask values are which classes: as the client says, as classes.json says, or as the masks show.

Found out from the masks, the rules are, in this order:

- 0 and 255 alone are background and foreground;
- where 255 stands beside ids, it marks pixels to ignore (with a warning);
- ids are values below SMALL_IDS, or dense: more than half of the values up to the largest occur;
- anything else is a grey code (0, 128, 255): each value is a class.
"""

import colorsys
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainyard.datasets import IngestOptions
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.statistics import Reading
from workers.prepared import IGNORE_INDEX, PreparedClass

Color = tuple[int, int, int]

MAX_CLASSES = IGNORE_INDEX
SMALL_IDS = 64
"""Values below this are class ids, however sparse; the grey codes that people draw with reach higher."""

SOFT_VALUES = 16
SOFT_SHARE = 0.9
"""A mask has soft edges where more values than SOFT_VALUES occur and 0 and 255 cover this share of it."""

LONGEST_CLASS_NAME = 100

PALETTE: tuple[Color, ...] = (
    (230, 80, 60),
    (60, 140, 230),
    (70, 180, 90),
    (250, 190, 50),
    (160, 90, 200),
    (60, 200, 200),
    (240, 130, 180),
    (150, 110, 60),
    (180, 210, 70),
    (110, 120, 240),
    (250, 140, 40),
    (20, 120, 110),
)


@dataclass(frozen=True, kw_only=True)
class ClassRules:
    """Class names by mask value, in the order of class indices; the value to ignore; colours where given."""

    names: dict[int, str]
    ignore_value: int | None
    colors: dict[int, Color] = field(default_factory=dict)

    def prepared(self) -> list[PreparedClass]:
        """The classes as training sees them."""
        return [
            PreparedClass(
                index=index, name=name, value=value, color=self.colors.get(value) or _color(index, name)
            )
            for index, (value, name) in enumerate(self.names.items())
        ]

    def table(self) -> bytes:
        """256 bytes: the class index of each mask value, IGNORE_INDEX for one that is no class."""
        index = {value: index for index, value in enumerate(self.names)}
        return bytes(index.get(value, IGNORE_INDEX) for value in range(256))


def declared(options: IngestOptions, classes_file: bytes | None) -> ClassRules | None:
    """What the client or else classes.json says; None where neither names classes. Raises Refused."""
    if options.classes is not None:
        return _checked(options.classes, options.ignore_value, {})
    if classes_file is None:
        return None
    try:
        names, colors, ignore_value = _parse(json.loads(classes_file))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused(
            "classes_file",
            f"The file of classes cannot be read: {type(error).__name__} {error}.",
            'Write it as {"classes": [{"id": 0, "name": "background"}, ...], "ignore_index": 255}, '
            "with different ids from 0 to 255; ignore_index may be left out.",
        ) from error
    return _checked(names, ignore_value if options.ignore_value is None else options.ignore_value, colors)


def check(rules: ClassRules, readings: Collection[Reading], log: ProblemLog) -> None:
    """Log the files whose values are no class, and the classes that no file has."""
    allowed = {*rules.names, rules.ignore_value}
    for reading in readings:
        strange = {value: count for value, count in reading.values.items() if value not in allowed}
        if strange:
            listed = ", ".join(f"{value} ({count} pixels)" for value, count in sorted(strange.items())[:10])
            log.error(
                "unknown_value",
                reading.mask_file,
                f"The mask has values that are no class: {listed}{' and more' if len(strange) > 10 else ''}.",
                f"Name them as classes or as the value to ignore; the classes are {_listed(rules.names)}.",
            )
    if log.has_errors:
        return  # a class may be in what could not be read
    seen = {value for reading in readings for value in reading.values}
    for value, name in rules.names.items():
        if value not in seen:
            log.warning(
                "class_absent",
                None,
                f"No mask has a pixel of the class {name!r} (value {value}).",
                "Check the value, or leave the class out.",
            )


def find(ignore_value: int | None, readings: Collection[Reading], log: ProblemLog) -> ClassRules | None:
    """The classes that the masks show by the rules above; None, and errors logged, where they show none."""
    if _soft_edges(readings, log):
        return None
    values = {value for reading in readings for value in reading.values} - {ignore_value}
    if values <= {0, 255}:
        return ClassRules(
            names=_names(values, {0: "background", 255: "foreground"}), ignore_value=ignore_value
        )
    ids = values - {255}
    if not _are_ids(ids):
        return ClassRules(
            names={value: "background" if value == 0 else f"value_{value}" for value in sorted(values)},
            ignore_value=ignore_value,
        )
    if 255 in values:
        log.warning(
            "ignore_guessed",
            None,
            "The value 255 stands beside class ids and is taken as: no class, ignored.",
            "If it is a class, name all classes when you upload the set.",
        )
        ignore_value = 255
    names = {value: "background" if value == 0 else f"class_{value}" for value in sorted(ids)}
    return ClassRules(names=names, ignore_value=ignore_value)


def check_variety(rules: ClassRules, readings: Collection[Reading], log: ProblemLog) -> None:
    """Log an error where fewer than two classes occur in all masks together, or there are too many."""
    seen = {value for reading in readings for value in reading.values} & set(rules.names)
    if len(seen) < 2:
        log.error(
            "single_value",
            None,
            f"All masks have one class value only: {_listed(seen)}."
            if seen
            else "No mask has a labelled pixel.",
            "Send masks in which at least two classes occur; background counts as one.",
        )
    if len(rules.names) > MAX_CLASSES:
        log.error(
            "too_many_classes",
            None,
            f"There are {len(rules.names)} classes; at most {MAX_CLASSES} can be told apart.",
            "Merge classes, or name one value as the value to ignore.",
        )


def _are_ids(values: set[int]) -> bool:
    return max(values) < SMALL_IDS or len(values) > max(values) / 2


def _names(values: set[int], names: Mapping[int, str]) -> dict[int, str]:
    return {value: names[value] for value in sorted(values)}


def _soft_edges(readings: Collection[Reading], log: ProblemLog) -> bool:
    """Whether masks were smoothed, so that edges have values between 0 and 255; each is logged."""
    found = False
    for reading in readings:
        plain = reading.values.get(0, 0) + reading.values.get(255, 0)
        if len(reading.values) > SOFT_VALUES and plain >= SOFT_SHARE * reading.height * reading.width:
            found = True
            log.error(
                "mask_soft_edges",
                reading.mask_file,
                f"The mask has {len(reading.values)} different values, nearly all pixels being 0 or 255: "
                "its edges are smoothed.",
                "Save it without smoothing: below 128 as 0, else 255.",
            )
    return found


def _checked(names: Mapping[int, str], ignore_value: int | None, colors: dict[int, Color]) -> ClassRules:
    if ignore_value in names:
        raise Refused(
            "ignore_is_class",
            f"The value {ignore_value} is named as a class and as the value to ignore.",
            "Name it as one of the two.",
        )
    outside = [value for value in names if not 0 <= value <= 255]
    if outside or not names:
        raise Refused(
            "classes_range",
            f"Classes need mask values from 0 to 255; given: {_listed(outside) if outside else 'none'}.",
            "Name at least two classes by values in that range.",
        )
    if len(set(names.values())) < len(names):
        raise Refused(
            "classes_names", "Two classes have the same name.", "Give each class a name of its own."
        )
    return ClassRules(names=dict(sorted(names.items())), ignore_value=ignore_value, colors=colors)


def _parse(data: Any) -> tuple[dict[int, str], dict[int, Color], int | None]:
    """Names, colours and ignored value of a classes.json; raises ValueError, TypeError or KeyError."""
    names: dict[int, str] = {}
    colors: dict[int, Color] = {}
    for entry in data["classes"]:
        value, name = _whole(entry["id"]), entry["name"]
        if value in names:
            raise ValueError(f"id {value} occurs twice")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_CLASS_NAME:
            raise ValueError(f"name of id {value}: 1 to {LONGEST_CLASS_NAME} characters")
        names[value] = name
        if entry.get("color") is not None:
            red, green, blue = (_whole(part) for part in entry["color"])
            colors[value] = (red, green, blue)
    ignore = data.get("ignore_index")
    return names, colors, None if ignore is None else _whole(ignore)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 to 255")
    return value


def _color(index: int, name: str) -> Color:
    """Black for background, then PALETTE, then hues a golden angle apart."""
    if index == 0 and name == "background":
        return (0, 0, 0)
    if index < len(PALETTE):
        return PALETTE[index]
    red, green, blue = colorsys.hsv_to_rgb(
        index * 0.381966 % 1, 0.5 + 0.4 * (index % 2), 0.95 - 0.2 * (index % 3)
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def _listed(values: Collection[int]) -> str:
    return ", ".join(str(value) for value in sorted(values)[:20]) + (" and more" if len(values) > 20 else "")
