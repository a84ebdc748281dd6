"""Which mask values are which classes: as the client says, as the format says, or as the masks show.

Found out from the masks, the rules are, in this order:

- 0 and 255 alone are background and foreground;
- where 255 stands beside ids, it marks pixels to ignore (with a warning);
- ids are values below SMALL_IDS, or dense: more than half of the values up to the largest occur;
- anything else is a grey code (0, 128, 255): each value is a class.
"""

import colorsys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from trainyard.datasets.record import IngestOptions, Task
from workers.ingest.classes.class_names import numbered_from_one, numbered_from_zero
from workers.ingest.items import Color, FoundSet
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reading.statistics import NO_CLASS, Meanings, SampleCounts
from workers.prepared.version import IGNORE_INDEX, PreparedClass

MAX_CLASSES = IGNORE_INDEX
SMALL_IDS = 64
"""Values below this are class ids, however sparse; the grey codes that people draw with reach higher."""

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
    """Class names by mask value, in the order of class indices; the value to ignore; colours where given.

    `origin` says in words where the classes came from.
    `task` is multilabel where pixels may have several of the classes, of which there are at most
    MAX_OVERLAPPING then.
    """

    names: dict[int, str]
    ignore_value: int | None
    colors: dict[int, Color] = field(default_factory=dict)
    task: Task = "multiclass"
    origin: str = "named"

    def prepared(self) -> list[PreparedClass]:
        """The classes as training sees them."""
        return [
            PreparedClass(
                index=index, name=name, value=value, color=self.colors.get(value) or _color(index, name)
            )
            for index, (value, name) in enumerate(self.names.items())
        ]

    def table(self, meanings: Meanings) -> bytes:
        """256 bytes: what each byte of a rasterized mask becomes in the prepared one.

        That is the index of its class, IGNORE_INDEX where it is none; or the bits of its classes.
        """
        index = {value: index for index, value in enumerate(self.names)}
        told = [meanings.get(byte) for byte in range(256)]
        if self.task == "multilabel":
            bits = [index.keys() & (values or frozenset()) for values in told]
            return bytes(sum(1 << index[value] for value in own) for own in bits)
        single = [next(iter(values)) if values and len(values) == 1 else NO_CLASS for values in told]
        return bytes(index.get(value, IGNORE_INDEX) for value in single)


def declared(options: IngestOptions, found: FoundSet) -> ClassRules | None:
    """What the client or else the format says; None where neither names classes. Raises Refused."""
    names = found.names if options.classes is None else options.classes
    if names is None:
        return None
    ignore_value = found.ignore_value if options.ignore_value is None else options.ignore_value
    if options.ignore_value is None and options.classes and ignore_value in options.classes:
        ignore_value = None  # the client, who speaks of classes, outranks the format
    return _checked(names, ignore_value, found.colors)


def completed(
    rules: ClassRules, readings: Collection[SampleCounts], log: ProblemLog, *, in_file: bool
) -> ClassRules:
    """The rules that a format names, or `in_file` a file of the upload, with what it leaves to custom: 0
    is the background where the file does not name it, and 255 is no class; names of as many other
    values, with gaps, are taken in order. Values of other kinds are left to `check`."""
    seen = {value for reading in readings for value in reading.values} - {NO_CLASS, rules.ignore_value}
    unnamed = seen - set(rules.names)
    if 0 in seen & rules.names.keys() and seen & rules.names.keys() == {0} and len(seen) == len(rules.names):
        log.guess(f"the names belong to the values {listed_values(seen)} in order, since no other fits")
        return replace(rules, names=dict(zip(sorted(seen), rules.names.values(), strict=True)))
    if 0 in unnamed and (names := numbered_from_one(rules.names, seen - {255}, len(readings), log)):
        return replace(rules, names=names)
    if in_file and unnamed and len(rules.names) > 1:
        names = numbered_from_zero(rules.names, seen - {255}, len(readings), log)
        if names is not None:
            return replace(rules, names=names)
    if not unnamed or not unnamed <= {0, 255} or seen <= {0, 255}:
        return rules
    if 0 in unnamed:
        log.guess("0 is the background, since names are given for other values alone")
        rules = replace(rules, names={0: "background", **rules.names})
    if 255 in unnamed and rules.ignore_value is None:
        _warn_of_void("If it is a class, name it, too.", log)
        rules = replace(rules, ignore_value=255)
    return rules


def _warn_of_void(remedy: str, log: ProblemLog) -> None:
    log.warning(
        "ignore_guessed",
        None,
        "The value 255 stands beside class ids and is taken as: no class, ignored.",
        remedy,
    )


def check(rules: ClassRules, readings: Collection[SampleCounts], advice: str, log: ProblemLog) -> None:
    """Log the files whose values are no class, with `advice` on them, and the classes that no file has."""
    allowed = {*rules.names, rules.ignore_value, NO_CLASS}
    for reading in readings:
        strange = {value: count for value, count in reading.values.items() if value not in allowed}
        if strange:
            listed = ", ".join(f"{value} ({count} pixels)" for value, count in sorted(strange.items())[:10])
            log.error(
                "unknown_value",
                reading.mask_file,
                f"The mask has values that are no class: {listed}{' and more' if len(strange) > 10 else ''}.",
                f"{advice}; the classes are {listed_values(rules.names)}.",
            )
    if log.has_errors:
        return  # a class may be in what could not be read
    seen = {value for reading in readings for value in reading.values}
    absent = {value: name for value, name in rules.names.items() if value not in seen}
    if absent:
        listed = ", ".join(f"{name!r} (value {value})" for value, name in list(absent.items())[:20])
        log.warning(
            "class_absent",
            None,
            f"No mask has a pixel of {len(absent)} class(es): {listed}"
            f"{' and more' if len(absent) > 20 else ''}.",
            "Check the values, or leave the classes out.",
        )


def find(
    ignore_value: int | None, colors: dict[int, Color], readings: Collection[SampleCounts], log: ProblemLog
) -> ClassRules:
    """The classes that the masks show by the rules above; `colors` are those of a palette."""
    values = {value for reading in readings for value in reading.values} - {ignore_value, NO_CLASS}
    if values <= {0, 255}:
        return ClassRules(
            names=_names(values, {0: "background", 255: "foreground"}),
            ignore_value=ignore_value,
            colors=colors,
            origin="the values of the masks, 0 and 255",
        )
    ids = values - {255}
    if not are_ids(ids):
        return ClassRules(
            names={value: "background" if value == 0 else f"value_{value}" for value in sorted(values)},
            ignore_value=ignore_value,
            colors=colors,
            origin=f"the values of the masks, each a class: {listed_values(values)}",
        )
    if 255 in values:
        _warn_of_void("If it is a class, name all classes when you upload the set.", log)
        ignore_value = 255
    names = {value: "background" if value == 0 else f"class_{value}" for value in sorted(ids)}
    return ClassRules(
        names=names,
        ignore_value=ignore_value,
        colors=colors,
        origin=f"the values of the masks, which are ids: {listed_values(ids)}",
    )


def check_variety(rules: ClassRules, readings: Collection[SampleCounts], log: ProblemLog) -> None:
    """Log an error where fewer than two classes occur in all masks together, or there are too many."""
    seen = {value for reading in readings for value in reading.values} & set(rules.names)
    if len(seen) < 2:
        log.error(
            "single_value",
            None,
            f"All masks have one class value only: {listed_values(seen)}."
            if seen
            else "No mask has a labelled pixel.",
            "Send masks in which at least two classes occur; background counts as one. Where their values "
            "are not those of the format that was read, send `format: pictures`.",
        )
    if len(rules.names) > MAX_CLASSES:
        log.error(
            "too_many_classes",
            None,
            f"There are {len(rules.names)} classes; at most {MAX_CLASSES} can be told apart.",
            "Merge classes, or name one value as the value to ignore.",
        )


def are_ids(values: set[int]) -> bool:
    """Whether values, 255 left out, are class ids by the rules above, not a grey code."""
    return max(values) < SMALL_IDS or len(values) > max(values) / 2


def _names(values: set[int], names: Mapping[int, str]) -> dict[int, str]:
    return {value: names[value] for value in sorted(values)}


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
            "Classes need mask values from 0 to 255; given: "
            f"{listed_values(outside) if outside else 'none'}.",
            "Name at least two classes by values in that range.",
        )
    if len(set(names.values())) < len(names):
        raise Refused(
            "classes_names", "Two classes have the same name.", "Give each class a name of its own."
        )
    return ClassRules(names=dict(sorted(names.items())), ignore_value=ignore_value, colors=colors)


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


def listed_values(values: Collection[int]) -> str:
    """Values as a problem tells them: in order, the first 20."""
    return ", ".join(str(value) for value in sorted(values)[:20]) + (" and more" if len(values) > 20 else "")
