"""Reads a text file of YOLO labels, one object a line.

Format: https://docs.ultralytics.com/datasets/segment/.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from workers.ingest.formats.annotations.box_forms import LARGEST_FRACTION, Numbers
from workers.ingest.problems import Refused
from workers.ingest.regions.polygons import FAR, Ring, ring

_BOX = 4  # numbers of a line that has a box and no polygon
_FEWEST_LINES = 3
"""Lines by which it is told that points lie in the boxes before them."""
_NEAR = 0.01
"""How far beyond its box, in fractions of the image, a key point may be written."""
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
    words = words[: _BOX + 1] if have_seen_points(words) else without_confidence(words)
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
    lines = (without_confidence(line.split()) for line in text.splitlines())
    return is_label_text(text) and any(len(words) > _BOX + 1 for words in lines)


def without_confidence(words: list[str]) -> list[str]:
    """The words of a line without the confidence that detectors write behind what they found: the number that
    a box, or the points of a polygon, have too many."""
    return words[:-1] if len(words) > _BOX + 1 and len(words) % 2 == 0 and _is_share(words[-1]) else words


def have_confidences(text: str) -> bool:
    """Whether each line of a file has a confidence: one alone is broken."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return bool(lines) and all(without_confidence(words) != words for words in lines)


def have_seen_points(words: list[str]) -> bool:
    """Whether a line has a box and points with a number each, 0, 1 or 2, of whether they are seen."""
    points = words[_BOX + 1 :]
    return bool(points) and len(points) % 3 == 0 and all(_is_of(word, (0, 1, 2)) for word in points[2::3])


def have_key_points(texts: Iterable[str]) -> bool:
    """Whether each line of some texts has a box and then points that all lie in it, as key points do, with
    or without a number each of whether they are seen."""
    lines = [line.split() for text in texts for line in text.splitlines() if line.strip()]
    if len(lines) < _FEWEST_LINES or len({len(words) for words in lines}) > 1:
        return False
    try:
        numbers = [[float(word) for word in words[1:]] for words in lines]
    except ValueError:
        return False
    more = len(numbers[0]) - _BOX
    return any(
        more >= step and more % step == 0 and all(_are_in_box(own, step) for own in numbers)
        for step in (2, 3)
    )


def parse_labels(text: str, *, has_key_points: bool = False) -> list[Label]:
    """The objects, in order; an empty text has none. With key points, each has the box before them.

    Raises Refused with the number of the first odd line.
    """
    lines = {number: line.split() for number, line in enumerate(text.splitlines(), start=1) if line.strip()}
    if has_key_points:
        lines = {number: words[: _BOX + 1] for number, words in lines.items()}
    elif have_confidences(text):
        lines = {number: without_confidence(words) for number, words in lines.items()}
    return [_label(words, number) for number, words in lines.items()]


def _are_in_box(numbers: list[float], step: int) -> bool:
    x, y, width, height = numbers[:_BOX]
    points = zip(numbers[_BOX::step], numbers[_BOX + 1 :: step], strict=True)
    return all(
        (px, py) == (0, 0) or (abs(px - x) <= width / 2 + _NEAR and abs(py - y) <= height / 2 + _NEAR)
        for px, py in points
    )


def _is_of(word: str, numbers: Collection[float]) -> bool:
    try:
        return float(word) in numbers
    except ValueError:
        return False


def _is_share(word: str) -> bool:
    try:
        return 0 <= float(word) <= 1
    except ValueError:
        return False


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
