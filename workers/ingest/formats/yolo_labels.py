"""Reads a text file of YOLO labels, one object a line.

Format: https://docs.ultralytics.com/datasets/segment/.
"""

from dataclasses import dataclass

from workers.ingest.formats.rings import Ring, ring
from workers.ingest.problems import Refused

_BOX = 4  # numbers of a line that has a box and no polygon
_LARGEST = 2.0  # of fractions; a little above 1 is a rounding fault, hundreds are pixels
_MOST_CLASSES = 9999


@dataclass(frozen=True, kw_only=True, eq=False)
class Label:
    """An object: the number of its class, and its outline in fractions of the image's sides."""

    number: int
    ring: Ring


def is_label_text(text: str) -> bool:
    """Whether the first line that is not empty is a class number and a box or a polygon."""
    words = next((line.split() for line in text.splitlines() if line.strip()), [])
    if len(words) <= _BOX or len(words) % 2 == 0 or not _is_number(words[0]):
        return False
    try:
        return all(0 <= float(word) <= _LARGEST for word in words[1:])
    except ValueError:
        return False


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
    if len(words) == _BOX + 1:
        raise Refused(
            "masks_missing",
            f"Line {line} has a box and no polygon.",
            "Export for instance segmentation, not for object detection.",
        )
    try:
        outline = ring([float(word) for word in words[1:]])
    except ValueError as error:
        raise _broken(line, "it has words that are no numbers") from error
    except Refused as refusal:
        raise _broken(line, refusal.message.rstrip(".")) from refusal
    if float(abs(outline).max()) > _LARGEST:
        raise _broken(line, f"its numbers reach {abs(outline).max():g}; fractions of the image are expected")
    return Label(number=int(float(words[0])), ring=outline)


def _is_number(word: str) -> bool:
    """Whether it is a class number; some exporters write it as `0.0`."""
    whole = word.removesuffix(".0")
    return whole.isascii() and whole.isdigit() and len(whole) <= len(str(_MOST_CLASSES))


def _broken(line: int, what: str) -> Refused:
    return Refused("labels_broken", f"Line {line}: {what}.", "Export the labels anew.")
