"""The Idempotency-Key header."""

import re

from flask import Request

from trainyard.errors import InvalidRequest

HEADER = "Idempotency-Key"
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "maxLength": 200},
    "description": "the same key again in the same project answers with the same record",
}
"""The header as OpenAPI describes it."""
_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")


def idempotency_key(request: Request) -> str | None:
    """The key, None where none is sent; raises InvalidRequest."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.match(key):
        raise InvalidRequest(
            "The Idempotency-Key cannot be used.", errors={HEADER: ["1 to 200 ASCII characters, no spaces"]}
        )
    return key
