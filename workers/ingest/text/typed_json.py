"""Reads JSON that nobody vouches for: each value is checked for its type before it is used."""

import json
import math

import numpy as np

from workers.ingest.pictures.limits import MAX_DRAWN_PIXELS
from workers.ingest.problems import Refused
from workers.ingest.regions.polygons import FAR, Ring

MIB = 1 << 20
MAX_JSON = 64 * MIB
"""Bytes of the JSON file of one image, which may hold the picture; it is in memory up to three times."""

MAX_VALUES = 1_000_000
"""Lists, objects and values in it; parsed, each takes up to 120 bytes of memory."""

_BEFORE_VALUES = (b",", b"[", b"{")

_SHOWN = 60
_REMEDY = "Export the annotations again, or take this one out."
# Deep nesting, wrong text encodings, broken syntax and overlong numbers.
_BROKEN = (ValueError, RecursionError)


def parse_json(data: bytes) -> object:
    """The document; raises Refused where it is no JSON, longer than MAX_JSON, or of more than MAX_VALUES."""
    _check_length(data)
    try:
        return json.loads(data)
    except _BROKEN as error:
        raise Refused(
            "annotation_json",
            f"The file cannot be read as JSON: {str(error)[:200]}.",
            "Export the file again.",
        ) from error


def broken(what: str, wanted: str, value: object) -> Refused:
    """`what` of an annotation is not as `wanted`, but `value`."""
    found = repr(value)
    found = found if len(found) <= _SHOWN else found[:_SHOWN] + "..."
    return Refused("annotation_broken", f"{what} must be {wanted}; it is {found}.", _REMEDY)


def mapping(value: object, what: str) -> dict[str, object]:
    """The value as an object of JSON; raises Refused, as the functions below."""
    if not isinstance(value, dict):
        raise broken(what, "an object", value)
    return value


def listing(value: object, what: str) -> list[object]:
    """The value as a list."""
    if not isinstance(value, list):
        raise broken(what, "a list", value)
    return value


def text(value: object, what: str) -> str:
    """The value as a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise broken(what, "a text", value)
    return value


def number(value: object, what: str) -> float:
    """The value as a finite number within +-FAR; as text, too."""
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not abs(found) <= FAR:
        raise broken(what, f"a number from {-FAR:.0f} to {FAR:.0f}", value)
    return found


def points(value: object, what: str) -> Ring:
    """The value, a list of pairs, as (N, 2) float32 of x and y, N at least 1, each within +-FAR."""
    try:
        found = np.asarray(listing(value, what), np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise broken(what, "a list of pairs of numbers", value) from error
    if found.ndim != 2 or found.shape[1] != 2 or not bool((np.abs(found) <= FAR).all()):
        raise broken(what, f"a list of pairs of numbers from {-FAR:.0f} to {FAR:.0f}", value)
    return found.astype(np.float32)


def image_size(width: object, height: object) -> tuple[int, int]:
    """Width and height, pixels, of an image that could be decoded."""
    size = int(number(width, "the image's width")), int(number(height, "the image's height"))
    if min(size) < 1 or size[0] * size[1] > MAX_DRAWN_PIXELS:
        raise broken("the image's size", f"from 1x1 to {MAX_DRAWN_PIXELS} pixels", f"{size[0]}x{size[1]}")
    return size


def _check_length(data: bytes) -> None:
    if len(data) > MAX_JSON:
        raise Refused(
            "annotation_too_large",
            f"The file has {len(data)} bytes; at most {MAX_JSON} are read.",
            "Send the image as a file beside its annotation, or in tiles.",
        )
    if sum(map(data.count, _BEFORE_VALUES)) > MAX_VALUES:
        raise Refused(
            "annotation_too_large",
            f"The file has more than {MAX_VALUES} lists, objects and values.",
            "Draw it with fewer points, or send the image in tiles.",
        )
