"""Reads the records of a large JSON file one by one, so that memory is bounded by one record."""

import io
import re
from collections.abc import Iterator

import ijson

from workers.ingest.problems import Refused

MAX_DEPTH = 64
"""Lists and objects within each other; the parser needs memory by the square of it."""

_BRACKET = re.compile(rb'(?:"(?:[^"\\]++|\\.)*+"?|[^"\[\]{}]++)*+([\[\]{}]|\Z)', re.DOTALL)
_BOM = b"\xef\xbb\xbf"


def check_depth(data: bytes) -> None:
    """Raise Refused where the JSON text nests deeper than MAX_DEPTH; whether it is JSON is not looked at."""
    depth = 0
    for match in _BRACKET.finditer(data):
        bracket = match[1]
        if bracket in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(
                    "json_deep",
                    f"The file nests more than {MAX_DEPTH} lists and objects.",
                    "Export the annotations anew.",
                )
        elif bracket:
            depth -= 1


def records(data: bytes, key: str) -> Iterator[object]:
    """The entries of the list that the top object has under `key`, none where it has no such list.

    Numbers beyond 64 bits and NaN are no JSON. Raises Refused at the first place that is none; of a repeated
    key, all lists are read. The text must have passed `check_depth`.
    """
    try:
        yield from ijson.items(io.BytesIO(data.removeprefix(_BOM)), f"{key}.item", use_float=True)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Refused(
            "json_broken", f"The file is no whole JSON: {reason}.", "Export the annotations anew."
        ) from error
