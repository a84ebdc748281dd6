"""Digests of files for those who ask, after RFC 9530: of the whole file, whichever part of it is sent."""

import base64
import hashlib
import re
from pathlib import Path

from flask import Request, Response

_ASKED = re.compile(r"(?:^|,)[ \t]*sha-256[ \t]*=[ \t]*([0-9]|10)[ \t]*(?:,|$)")


def add_digest(request: Request, response: Response, path: Path) -> None:
    """Tell the file's SHA-256 where the request's Want-Repr-Digest prefers it at all.

    Reads the file once more, which costs about a second for each gigabyte: hence only on request.
    """
    asked = _ASKED.search(request.headers.get("Want-Repr-Digest", ""))
    if request.method != "GET" or not asked or asked[1] == "0":
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
