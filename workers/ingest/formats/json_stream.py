"""Reads the records of a large JSON file one by one, so that memory is bounded by one record."""

import re
from collections.abc import Iterator
from typing import BinaryIO

import ijson
import numpy as np

from workers.ingest.problems import Refused

MAX_DEPTH = 64
"""Lists and objects within each other; the parser needs memory by the square of it."""

_PIECE = 64 << 10
_BOM = b"\xef\xbb\xbf"
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_NO_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1


def records(file: BinaryIO, key: str) -> Iterator[object]:
    """The entries of the list that the top object has under `key`, none where it has no such list.

    Numbers beyond 64 bits and NaN are no JSON. Raises Refused at the first place that is none, or that nests
    deeper than MAX_DEPTH, and as the file does; of a repeated key, all lists are read.
    """
    try:
        yield from ijson.items(_Shallow(file), f"{key}.item", use_float=True, buf_size=_PIECE)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Refused(
            "json_broken", f"The file is no whole JSON: {reason}.", "Export the annotations anew."
        ) from error


class _Shallow:
    """The bytes of a file without its byte order mark, read by pieces that are looked at for their depth."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begun = False
        self._depth = 0
        self._in_text = False
        self._escape = b""

    def read(self, size: int) -> bytes:
        """The next bytes; raises Refused where they nest too deep. Whether they are JSON is not looked at."""
        data = self._file.read(size)
        if data and not self._begun:
            self._begun = True
            data = data.removeprefix(_BOM) or self._file.read(size)
        self._check(data)
        return data

    def _check(self, data: bytes) -> None:
        if self._escape or b"\\" in data:
            data = _ESCAPED.sub(b"", self._escape + data)
            self._escape = b"\\" if data.endswith(b"\\") else b""
        texts = data.translate(None, _NO_STRUCTURE).split(b'"')  # every second one lies within quotes
        brackets = np.frombuffer(b"".join(texts[self._in_text :: 2]), np.uint8)
        self._in_text ^= len(texts) % 2 == 0
        if brackets.size:
            depths = self._depth + np.cumsum(_STEPS[brackets], dtype=np.int64)
            self._depth = int(depths[-1])
            if depths.max() > MAX_DEPTH:
                raise Refused(
                    "json_deep",
                    f"The file nests more than {MAX_DEPTH} lists and objects.",
                    "Export the annotations anew.",
                )
