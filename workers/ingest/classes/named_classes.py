"""What a file says of a set's classes, whatever its form."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workers.ingest.classes.class_names import is_background
from workers.ingest.items import Color

LONGEST_CLASS_NAME = 100
MOST_CLASSES = 256
_PICTURE = re.compile(r"\.(png|jpe?g|bmp|tiff?|gif)$", re.IGNORECASE)


class Unread(Exception):
    """A file is of no form that names classes; the message says in plain words why."""


@dataclass(frozen=True, kw_only=True)
class NamedClasses:
    """Names by mask value; or `listed`, names in order without values. `colors` are values by colour, of a
    list those that its names have if 0 is the background. `ignore_value` is no class."""

    names: dict[int, str] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    colors: dict[Color, int] = field(default_factory=dict)
    ignore_value: int | None = None

    @property
    def by_value(self) -> dict[int, str]:
        """Names by the values that `colors` gives."""
        return self.names or dict(enumerate(self.listed, start=first_value(self.listed)))


def with_ids(entries: Iterable[tuple[object, object]]) -> dict[int, str]:
    """Names by id, ascending; raises Unread."""
    names: dict[int, str] = {}
    for number, name in entries:
        value = whole(number)
        if value in names:
            raise Unread(f"the id {value} occurs twice")
        names[value] = checked_name(name)
    if not names:
        raise Unread("there are no classes in it")
    if len(set(names.values())) < len(names):
        raise Unread("two classes have the same name")
    return dict(sorted(names.items()))


def in_order(names: Sequence[object]) -> tuple[str, ...]:
    """Names of a list; raises Unread."""
    checked = tuple(checked_name(name) for name in names)
    if not 0 < len(checked) <= MOST_CLASSES:
        raise Unread(f"it lists {len(checked)} names, {MOST_CLASSES} are the most")
    if len(set(checked)) < len(checked):
        raise Unread("two classes have the same name")
    return checked


def first_value(listed: Sequence[str]) -> int:
    """The value of the first name of a list: 0 for the background, else 1."""
    return 0 if listed and is_background(listed[0]) else 1


def checked_name(name: object) -> str:
    """A class name; raises Unread."""
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_CLASS_NAME:
        raise Unread(f"a name of a class is text of 1 to {LONGEST_CLASS_NAME} characters")
    if _PICTURE.search(name):
        raise Unread("its names are those of pictures")
    return name.strip()


def whole(value: object) -> int:
    """A mask value, given as a number or in digits; raises Unread."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:4])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise Unread(f"{str(value)[:40]!r} is no whole number from 0 to 255")
    return value
