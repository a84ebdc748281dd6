"""Reads JSON that nobody vouches for: each value is checked for its type before it is used."""

import json
import math
from collections.abc import Iterator

import numpy as np

from workers.ingest.decode import MAX_PIXELS
from workers.ingest.formats.rings import FAR, Ring
from workers.ingest.problems import Refused

MIB = 1 << 20
MAX_JSON = 100 * MIB
"""Bytes of one JSON file; parsed it takes several times as much memory."""

_SHOWN = 60
_REMEDY = "Export the annotations again, or take this one out."
# Deep nesting, wrong text encodings, broken syntax and overlong numbers.
_BROKEN = (ValueError, RecursionError)


def parse_json(data: bytes) -> object:
    """The document; raises Refused where it is no JSON, or longer than MAX_JSON."""
    _check_length(data)
    try:
        return json.loads(data)
    except _BROKEN as error:
        raise _no_json(error) from error


def parse_json_list(data: bytes) -> Iterator[object]:
    """The elements of a document that is a list, one in memory at a time; raises Refused as `parse_json`."""
    _check_length(data)
    decoder = json.JSONDecoder()
    try:
        text = data.decode("utf-8-sig")
        at = _after(text, 0, "[")
        at = _skipped(text, at)
        more = text[at : at + 1] != "]"
        while more:
            element, at = decoder.raw_decode(text, _skipped(text, at))
            yield element
            at = _skipped(text, at)
            more = text[at : at + 1] == ","
            at = _after(text, at, "," if more else "]")
    except _BROKEN as error:
        raise _no_json(error) from error


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
    if min(size) < 1 or size[0] * size[1] > MAX_PIXELS:
        raise broken("the image's size", f"from 1x1 to {MAX_PIXELS} pixels", f"{size[0]}x{size[1]}")
    return size


def _check_length(data: bytes) -> None:
    if len(data) > MAX_JSON:
        raise Refused(
            "annotation_too_large",
            f"The file has {len(data)} bytes; at most {MAX_JSON} are read.",
            "Export the annotations in several files; all of them are read.",
        )


def _after(text: str, at: int, wanted: str) -> int:
    at = _skipped(text, at)
    if text[at : at + 1] != wanted:
        raise ValueError(f"{wanted!r} is missing at character {at}")
    return at + 1


def _skipped(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _no_json(error: Exception) -> Refused:
    return Refused(
        "annotation_json", f"The file cannot be read as JSON: {str(error)[:200]}.", "Export the file again."
    )
