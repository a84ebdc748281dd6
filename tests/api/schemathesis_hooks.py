"""What `schemathesis` has to be told of this API."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def bytes_of_a_file(ctx: Any, value: Any) -> bytes:
    """A piece of a resumable upload: bytes as they are, whatever was made for them."""
    return value if isinstance(value, bytes) else str(value).encode()
