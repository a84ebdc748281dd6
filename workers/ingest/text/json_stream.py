"""Reads the records of a large JSON file one by one, so that memory is bounded by one record."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

import ijson
import numpy as np

from workers.ingest.problems import Refused

MAX_DEPTH = 64
"""Lists and objects within each other; the parser needs memory by the square of it."""

MAX_RECORD = 32 << 20
"""Bytes of one record of a file that holds nothing but these; parsed, it may take eight times as much."""

Entry = TypeVar("Entry")

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
    with _refusing():
        yield from ijson.items(_Shallow(file), f"{key}.item", use_float=True, buf_size=_PIECE)


def elements(file: BinaryIO) -> Iterator[object]:
    """The entries of a document that is a list. Raises Refused as `records`, and for one above MAX_RECORD."""
    yield from _bounded(file, lambda pieces: ijson.items(pieces, "item", use_float=True, buf_size=_PIECE))


def entries(file: BinaryIO, key: str) -> Iterator[tuple[str, object]]:
    """The entries of the object that the top object has under `key`, of the top object where that is empty,
    with their names. Raises Refused as `elements`."""
    yield from _bounded(file, lambda pieces: ijson.kvitems(pieces, key, use_float=True, buf_size=_PIECE))


def _bounded(file: BinaryIO, parse: "Callable[[_Shallow], Iterator[Entry]]") -> "Iterator[Entry]":
    pieces = _Shallow(file, MAX_RECORD)
    with _refusing():
        for entry in parse(pieces):
            yield entry
            pieces.forget()


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (ijson.JSONError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Refused(
            "json_broken", f"The file is no whole JSON: {reason}.", "Export the annotations anew."
        ) from error


class _Shallow:
    """The bytes of a file without its byte order mark, read by pieces that are looked at for their depth."""

    def __init__(self, file: BinaryIO, largest: int | None = None) -> None:
        """`largest` bounds the bytes from one call of `forget` to the next."""
        self._file = file
        self._largest = largest
        self._held = 0
        self._begun = False
        self._depth = 0
        self._in_text = False
        self._escape = b""

    def read(self, size: int) -> bytes:
        """The next bytes; raises Refused where they nest too deep. Whether they are JSON is not looked at."""
        data = self._file.read(size)
        self._held += len(data)
        if self._largest is not None and self._held > self._largest:
            raise Refused(
                "annotation_too_large",
                f"The annotation of one image has more than {self._largest} bytes.",
                "Draw it with fewer points, or send the image in tiles.",
            )
        if data and not self._begun:
            self._begun = True
            data = data.removeprefix(_BOM) or self._file.read(size)
        self._check(data)
        return data

    def forget(self) -> None:
        """What was read so far is no longer held."""
        self._held = 0

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
