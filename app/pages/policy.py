"""What a browser may do for a page: run the server's own scripts, speak to the server, nothing else."""

import base64
import hashlib
from functools import cache

from app.pages import assets

WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""What a script may do that runs beside pages, as the one that holds the event stream."""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'sha256-{theme}'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # lengths of bars and colours of classes stand in attributes
        "img-src 'self' data: blob:",  # Bootstrap's arrows; a chart that is saved as a picture
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",  # a run's report, which is in a sandbox of its own
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@cache
def policy() -> str:
    """The header of pages; of the scripts that stand in a page it allows the one that chooses colours."""
    digest = hashlib.sha256(assets.theme().encode()).digest()
    return _POLICY.format(theme=base64.b64encode(digest).decode())
