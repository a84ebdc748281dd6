"""Reads a text file of YOLO labels, one object a line.

Format: https://docs.ultralytics.com/datasets/segment/.
"""

from dataclasses import dataclass

from workers.ingest.formats.annotations.box_forms import LARGEST_FRACTION, Numbers
from workers.ingest.problems import Refused
from workers.ingest.regions.polygons import FAR, Ring, ring

_BOX = 4  # numbers of a line that has a box and no polygon
_MOST_CLASSES = 9999


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """An object: the number of its class, and its outline in fractions of the image's sides."""

    number: int
    ring: Ring


@dataclass(frozen=True, kw_only=True)
class Box:
    """An object whose line has four numbers: in YOLO's form the centre, width and height of a box, in
    fractions of the image's sides."""

    number: int
    numbers: Numbers


Label = Outline | Box


def is_label_text(text: str) -> bool:
    """Whether the first line that is not empty is a class number and a box, of pixels perhaps, or a
    polygon."""
    words = next((line.split() for line in text.splitlines() if line.strip()), [])
    if len(words) <= _BOX or len(words) % 2 == 0 or not _is_number(words[0]):
        return False
    try:
        return all(
            0 <= float(word) <= (FAR if len(words) == _BOX + 1 else LARGEST_FRACTION) for word in words[1:]
        )
    except ValueError:
        return False


def has_outline(text: str) -> bool:
    """Whether a line has more numbers than a box."""
    return is_label_text(text) and any(len(line.split()) > _BOX + 1 for line in text.splitlines())


def parse_labels(text: str) -> list[Label]:
    """The objects, in order; an empty text has none. Raises Refused with the number of the first odd line."""
    labels = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words:
            labels.append(_label(words, number))
    return labels


def _label(words: list[str], line: int) -> Label:
    if not _is_number(words[0]):
        raise _broken(line, f"it starts with {words[0][:20]!r}, not with a class number")
    try:
        numbers = [float(word) for word in words[1:]]
        if len(numbers) == _BOX and all(abs(one) <= FAR for one in numbers):
            x, y, width, height = numbers
            return Box(number=int(float(words[0])), numbers=(x, y, width, height))
        outline = ring(numbers)
    except ValueError as error:
        raise _broken(line, "it has words that are no numbers") from error
    except Refused as refusal:
        raise _broken(line, refusal.message.rstrip(".")) from refusal
    if float(abs(outline).max()) > LARGEST_FRACTION:
        raise _broken(line, f"its numbers reach {abs(outline).max():g}; fractions of the image are expected")
    return Outline(number=int(float(words[0])), ring=outline)


def _is_number(word: str) -> bool:
    """Whether it is a class number; some exporters write it as `0.0`."""
    whole = word.removesuffix(".0")
    return whole.isascii() and whole.isdigit() and len(whole) <= len(str(_MOST_CLASSES))


def _broken(line: int, what: str) -> Refused:
    return Refused("labels_broken", f"Line {line}: {what}.", "Export the labels anew.")
